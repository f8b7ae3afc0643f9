package io.bareloop.files;

import io.bareloop.sys.FileStatus;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Finds what there is at a path, on the threads of the disk: an entry, which goes into the cache, a
 * page or a refusal. Several requests for one path wait for one load.
 */
final class Loader {
    /** Requests that may wait for the disk at a time, on all loops; one more is answered 503. */
    static final int WAITING_MAX = 10_000;

    /** RFC 8615: what stands there is for programs that know its name. */
    private static final String WELL_KNOWN = "/.well-known/";

    private final Root root;
    private final Disk disk;
    private final FileCache cache;
    private final Settings settings;
    private final FaultLog log;
    private final EntryMaker maker;

    private final Map<String, List<Consumer<Outcome>>> pending = new HashMap<>();
    private int waiting;
    private boolean closed;

    Loader(Root root, Disk disk, FileCache cache, Settings settings, FaultLog log) {
        this.root = root;
        this.disk = disk;
        this.cache = cache;
        this.settings = settings;
        this.log = log;
        maker = new EntryMaker(root, disk, settings, log);
    }

    // ---- for loops

    /**
     * Looks for {@code path} and tells {@code then}, on a thread of the disk, or on the one that
     * closes this meanwhile.
     *
     * @return null; or a refusal at once, where too many wait already or this is closed: then
     *     nothing follows
     */
    Refusal load(String path, Consumer<Outcome> then) {
        synchronized (pending) {
            if (closed) {
                return Refusal.CLOSED;
            }
            if (waiting == WAITING_MAX) {
                return Refusal.BUSY;
            }
            waiting++;
            List<Consumer<Outcome>> others = pending.get(path);
            if (others != null) {
                others.add(then);
                return null;
            }
            pending.put(path, new ArrayList<>(List.of(then)));
        }
        disk.execute(reader -> run(reader, path));
        return null;
    }

    /** Requests that wait now. */
    int waiting() {
        synchronized (pending) {
            return waiting;
        }
    }

    private void run(Reader reader, String path) {
        synchronized (pending) {
            if (closed) {
                return;
            }
        }
        Outcome outcome = Outcome.of(Refusal.FAILED);
        try {
            outcome = find(reader, path);
        } finally {
            List<Consumer<Outcome>> all;
            synchronized (pending) {
                // None where this was closed meanwhile: they have been told.
                all = closed ? List.of() : pending.remove(path);
                waiting -= all.size();
            }
            for (Consumer<Outcome> one : all) {
                one.accept(outcome);
            }
        }
    }

    /** Tells all who wait, and all who come, that nothing is served any more. Once. */
    void close() {
        List<Consumer<Outcome>> all = new ArrayList<>();
        synchronized (pending) {
            closed = true;
            pending.values().forEach(all::addAll);
            pending.clear();
            waiting = 0;
        }
        for (Consumer<Outcome> one : all) {
            one.accept(Outcome.of(Refusal.CLOSED));
        }
    }

    // ---- what is known already

    /** Replaces or removes {@code entry} where its files have changed. */
    void check(Reader reader, Entry entry) {
        if (entry.settled) {
            List<FileVersion> now = versions(reader, name(entry.path));
            if (now == null) {
                serveUnchecked(entry);
                return;
            }
            if (entry.isOf(now)) {
                // The cache may let go of them at any time.
                if (entry.retainAll()) {
                    entry.warm(reader);
                    entry.release();
                }
                entry.checkedNanos = System.nanoTime();
                entry.asleep = false;
                return;
            }
        }
        Outcome found = file(reader, entry.path);
        if (found.entry() != null) {
            // Nobody has asked for the new one: left alone, it falls asleep like the old one.
            found.entry().used = false;
        } else if (found.refusal() == Refusal.SHORT) {
            serveUnchecked(entry);
        } else {
            cache.remove(entry);
        }
    }

    /**
     * There was no descriptor, or no memory, to look at its files with: what is known is served a
     * while longer. To answer 503 would help nobody, and takes no descriptor less.
     */
    private void serveUnchecked(Entry entry) {
        if (System.nanoTime() - entry.checkedNanos < settings.uncheckedNanosMax()) {
            entry.asleep = false;
        } else {
            cache.remove(entry);
        }
    }

    // ---- what there is at a path

    private Outcome find(Reader reader, String path) {
        root.refresh(reader);
        Entry known = cache.get(path);
        if (known != null) {
            // Asleep, or somebody else has just loaded it.
            check(reader, known);
            known = cache.get(path);
            if (known != null && !known.asleep) {
                return Outcome.of(known);
            }
        }
        Outcome outcome = file(reader, path);
        boolean nothing = outcome.refusal() == Refusal.NOT_FOUND;
        if (nothing && path.endsWith("/") && isListed(path)) {
            outcome = listing(reader, path);
            nothing = outcome.refusal() == Refusal.NOT_FOUND;
        }
        String fallback = settings.fallback();
        // What has an extension is meant to be a file: a page in its place would only confuse.
        boolean isRoute =
                path.indexOf('.', path.lastIndexOf('/')) < 0
                        // Whoever probes for one of these takes a page for what it looks for.
                        && !(settings.mount() + path).startsWith(WELL_KNOWN);
        if (nothing && fallback != null && isRoute && !path.equals(fallback)) {
            return find(reader, fallback);
        }
        return outcome;
    }

    private boolean isListed(String path) {
        return settings.listing()
                && (settings.dotFiles()
                        || !settings.mount().isEmpty()
                        || !path.startsWith(WELL_KNOWN));
    }

    /** The name beneath the root of what {@code path} means. */
    private String name(String path) {
        return path.substring(1) + (path.endsWith("/") ? settings.index() : "");
    }

    /** Loads the file at {@code path}, and puts it into the cache. */
    private Outcome file(Reader reader, String path) {
        Outcome found = maker.make(reader, path, name(path));
        if (found.entry() != null) {
            cache.put(found.entry());
        }
        return found;
    }

    private Outcome listing(Reader reader, String path) {
        Folder folder = new Folder(path, settings.dotFiles());
        int error = folder.read(reader, root);
        return error < 0
                ? Outcome.of(log.refusal(error, path.substring(1)))
                : Outcome.of(Listing.page(settings.mount(), path, folder));
    }

    /** The versions of all siblings of {@code name}, now; null where something is short. */
    private List<FileVersion> versions(Reader reader, String name) {
        List<FileVersion> versions = new ArrayList<>();
        for (Coding coding : EntryMaker.CODINGS) {
            FileVersion version = FileVersion.NONE;
            if (coding == Coding.IDENTITY || settings.precompressed()) {
                int fd = root.openWithStatus(reader, name + coding.suffix(), false);
                if (fd >= 0) {
                    reader.sys.close(fd);
                    if (FileStatus.isRegular(reader.status)) {
                        version = FileVersion.of(reader.status);
                    }
                } else if (Refusal.of(fd) == Refusal.SHORT) {
                    log.refusal(fd, name + coding.suffix());
                    return null;
                }
            }
            versions.add(version);
        }
        return versions;
    }
}
