package io.bareloop.files;

import io.bareloop.http.Fields;
import io.bareloop.sys.Errno;
import io.bareloop.sys.FileStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;

/**
 * Makes entries of files, on the threads of the disk, and looks after those that are in use: a
 * change is found by the next sweep. Several requests for one path wait for one load.
 */
final class Loader {
    /** Requests that may wait for the disk at a time, on all loops; one more is answered 503. */
    static final int WAITING_MAX = 10_000;

    /** A sweep each so many milliseconds: a change shows after as many, and the time of a sweep. */
    static final int SWEEP_MILLIS = 400;

    /** An entry that nobody asks for is kept for about 10 s, its file open so long at most. */
    private static final int IDLE_SWEEPS_MAX = 25;

    /** Reads of a file that changes while it is read, before the last one is taken as it is. */
    private static final int READS_MAX = 3;

    /** Less is not worth the time of the client. */
    private static final int GZIP_BYTES_MIN = 256;

    /** A sibling that is older than its file is of another version; clocks may differ by this. */
    private static final long SIBLING_NANOS = 2_000_000_000L;

    /** RFC 8615: what stands there is for programs that know its name. */
    private static final String WELL_KNOWN = "/.well-known/";

    private static final Coding[] CODINGS = Coding.values();

    private final Root root;
    private final Disk disk;
    private final FileCache cache;
    private final Settings settings;
    private final FaultLog log;
    private final LargeTags tags = new LargeTags();

    private final Map<String, List<Consumer<Outcome>>> pending = new HashMap<>();
    private int waiting;
    private boolean closed;

    Loader(Root root, Disk disk, FileCache cache, Settings settings, FaultLog log) {
        this.root = root;
        this.disk = disk;
        this.cache = cache;
        this.settings = settings;
        this.log = log;
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

    // ---- for the sweep

    /** Looks after all entries once. */
    void sweep(Reader reader) {
        root.refresh(reader);
        for (Entry entry : cache.all()) {
            if (entry.used) {
                entry.used = false;
                entry.idleSweeps = 0;
                check(reader, entry);
            } else if (++entry.idleSweeps > IDLE_SWEEPS_MAX) {
                cache.remove(entry);
            } else {
                // Whoever asks for it next has it checked first.
                entry.asleep = true;
            }
        }
    }

    /** Replaces or removes {@code entry} where its files have changed. */
    private void check(Reader reader, Entry entry) {
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

    private Outcome listing(Reader reader, String path) {
        Folder folder = new Folder(path, settings.dotFiles());
        int error = folder.read(reader, root);
        return error < 0
                ? Outcome.of(refusal(error, path.substring(1)))
                : Outcome.of(Listing.page(settings.mount(), path, folder));
    }

    /** What a request is told where {@code name} cannot be opened. */
    private Refusal refusal(int error, String name) {
        if (isShortage(error)) {
            log.note(error, name);
            return Refusal.SHORT;
        }
        if (error == -Errno.EIO || error == -Errno.ESTALE) {
            log.note(error, name);
            return Refusal.FAILED;
        }
        // ENOENT, ENOTDIR, ENAMETOOLONG: there is no such file. EXDEV, ELOOP: it is outside.
        // EACCES, EPERM, ENXIO and others: it is not for us to read, and no one is told that it is
        // there.
        return Refusal.NOT_FOUND;
    }

    /** Whether it says nothing about the file, and may be otherwise soon. */
    static boolean isShortage(int error) {
        return error == -Errno.EMFILE
                || error == -Errno.ENFILE
                || error == -Errno.ENOMEM
                || error == -Errno.EAGAIN;
    }

    /** The versions of all siblings of {@code name}, now; null where something is short. */
    private List<FileVersion> versions(Reader reader, String name) {
        List<FileVersion> versions = new ArrayList<>();
        for (Coding coding : CODINGS) {
            FileVersion version = FileVersion.NONE;
            if (coding == Coding.IDENTITY || settings.precompressed()) {
                int error = root.open(reader, name + coding.suffix(), false);
                if (error >= 0) {
                    int fd = error;
                    error = reader.readStatus(fd);
                    if (error == 0 && FileStatus.isRegular(reader.status)) {
                        version = FileVersion.of(reader.status);
                    }
                    reader.sys.close(fd);
                }
                if (isShortage(error)) {
                    log.note(error, name + coding.suffix());
                    return null;
                }
            }
            versions.add(version);
        }
        return versions;
    }

    // ---- files become entries

    /** One coding of a file as it was read: its bytes where it is small, else the open file. */
    private static final class Content {
        final FileVersion version;
        final byte[] bytes;
        final OpenFile file;

        /** Of a large one; a small one has that of its bytes. */
        final LargeTags.Tag tag;

        Content(FileVersion version, byte[] bytes, OpenFile file, LargeTags.Tag tag) {
            this.version = version;
            this.bytes = bytes;
            this.file = file;
            this.tag = tag;
        }

        void release() {
            if (file != null) {
                file.release();
            }
        }
    }

    /** Loads the file at {@code path}, and puts it into the cache. */
    @SuppressWarnings("EnumOrdinal") // an index of arrays that have one element for each
    private Outcome file(Reader reader, String path) {
        String name = name(path);
        long now = System.currentTimeMillis() * 1_000_000L;
        Content[] contents = new Content[CODINGS.length];
        int error = read(reader, name, contents, Coding.IDENTITY.ordinal());
        Content plain = contents[Coding.IDENTITY.ordinal()];
        if (plain == null) {
            return error == IS_DIRECTORY && !path.endsWith("/")
                    ? Outcome.DIRECTORY
                    : Outcome.of(refusal(error, name));
        }
        boolean settled = plain.version.isSettled(now);
        List<FileVersion> versions = new ArrayList<>();
        for (Coding coding : CODINGS) {
            int i = coding.ordinal();
            if (coding != Coding.IDENTITY && settings.precompressed()) {
                read(reader, name + coding.suffix(), contents, i);
            }
            versions.add(contents[i] == null ? FileVersion.NONE : contents[i].version);
            settled &= contents[i] == null || contents[i].version.isSettled(now);
            if (contents[i] != null
                    && contents[i].version.modifiedNanos() + SIBLING_NANOS
                            < plain.version.modifiedNanos()) {
                contents[i].release();
                contents[i] = null;
            }
        }
        Entry entry = new Entry(path, versions, variants(path, contents, now), settled);
        cache.put(entry);
        return Outcome.of(entry);
    }

    /** Not an errno: what was opened is a directory. */
    private static final int IS_DIRECTORY = -10_000;

    /** Reads {@code name} into {@code contents[at]}; returns 0, -errno or {@link #IS_DIRECTORY}. */
    private int read(Reader reader, String name, Content[] contents, int at) {
        for (int i = 1; ; i++) {
            int fd = root.open(reader, name, true);
            if (fd < 0) {
                return fd;
            }
            int error = reader.readStatus(fd);
            if (error < 0) {
                reader.sys.close(fd);
                return error;
            }
            if (!FileStatus.isRegular(reader.status)) {
                boolean directory = FileStatus.isDirectory(reader.status);
                reader.sys.close(fd);
                return directory ? IS_DIRECTORY : -Errno.ENXIO;
            }
            FileVersion version = FileVersion.of(reader.status);
            if (version.size() > settings.smallBytesMax()) {
                byte[] ends = readEnds(reader, fd, version.size());
                if (ends == null) {
                    reader.sys.close(fd);
                    return -Errno.EIO;
                }
                OpenFile file = new OpenFile(disk, fd);
                Disk.warmBeginning(reader, file, version.size());
                contents[at] = new Content(version, null, file, tags.of(name, version, ends));
                return 0;
            }
            byte[] bytes = reader.bytes(fd, 0, (int) version.size());
            boolean same =
                    reader.readStatus(fd) == 0 && FileVersion.of(reader.status).equals(version);
            reader.sys.close(fd);
            if (bytes == null) {
                return -Errno.EIO;
            }
            if ((same && bytes.length == version.size()) || i == READS_MAX) {
                contents[at] = new Content(version, bytes, null, null);
                return 0;
            }
        }
    }

    /** What stands in the tag of a large file; null where the disk fails. */
    private static byte[] readEnds(Reader reader, int fd, long size) {
        int length = (int) Math.min(size, LargeTags.SAMPLE_BYTES);
        byte[] first = reader.bytes(fd, 0, length);
        byte[] last = reader.bytes(fd, size - length, length);
        if (first == null || last == null) {
            return null;
        }
        byte[] both = Arrays.copyOf(first, first.length + last.length);
        System.arraycopy(last, 0, both, first.length, last.length);
        return both;
    }

    @SuppressWarnings("EnumOrdinal") // an index of arrays that have one element for each
    private Variant[] variants(String path, Content[] contents, long now) {
        String type = settings.types().of(name(path));
        Content plain = contents[Coding.IDENTITY.ordinal()];
        int gzip = Coding.GZIP.ordinal();
        boolean gzipped = false;
        if (settings.gzip()
                && contents[gzip] == null
                && plain.bytes != null
                && plain.bytes.length >= GZIP_BYTES_MIN
                && MediaTypes.isCompressible(type.replaceFirst(";.*", ""))) {
            byte[] smaller = gzip(plain.bytes);
            gzipped = smaller.length < plain.bytes.length - plain.bytes.length / 10;
            if (gzipped) {
                contents[gzip] = new Content(plain.version, smaller, null, null);
            }
        }
        Fields general = Fields.NONE;
        String cacheControl = settings.cacheControl().of(path);
        if (cacheControl != null) {
            general = general.with(Names.CACHE_CONTROL, cacheControl);
        }
        if (Arrays.stream(contents).filter(content -> content != null).count() > 1) {
            general = general.with(Names.VARY, "Accept-Encoding");
        }
        // Of the file itself, whatever the coding: a client that compares dates means that.
        long modified = plain.version.modifiedSecond();
        boolean dateTells = plain.version.isDated() && (plain.tag == null || plain.tag.dateTells());
        if (modified > now / 1_000_000_000L || !dateTells) {
            modified = HttpDate.NONE;
        }
        Variant[] variants = new Variant[CODINGS.length];
        for (Coding coding : CODINGS) {
            int i = coding.ordinal();
            Content content = contents[i];
            if (content != null) {
                variants[i] =
                        new Variant(
                                type,
                                coding == Coding.IDENTITY ? null : coding.token(),
                                general,
                                i == gzip && gzipped ? tag(plain, "-gzip") : tag(content, ""),
                                modified,
                                plain.version.isSettled(now),
                                content.bytes == null
                                        ? content.version.size()
                                        : content.bytes.length,
                                content.bytes,
                                content.file);
            }
        }
        return variants;
    }

    /**
     * A strong entity tag (RFC 9110, section 8.8.3): of a small file by its bytes, so that it is
     * the same on every server that has them; of a large one see {@link LargeTags}.
     */
    private static String tag(Content content, String suffix) {
        if (content.tag != null) {
            return content.tag.text();
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.bytes);
            String text = Base64.getUrlEncoder().encodeToString(Arrays.copyOf(digest, 15));
            return '"' + text + suffix + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream(bytes.length);
        try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("in memory", e);
        }
        return compressed.toByteArray();
    }
}
