package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.bareloop.http.ByteView;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The files of a directory as they are served: finds the entry that a request is for, and has it
 * answered; where none is known, the request waits for the disk. For any loop; what is a loop's own
 * is its {@link Answer}.
 */
final class FileTree {
    private final Settings settings;
    private final FileCache cache;
    private final Loader loader;
    private final ErrorPages errors;
    private final Sweeper sweeper;
    private final AtomicBoolean closing = new AtomicBoolean();

    /** One for each loop that has asked. */
    private final ThreadLocal<Answer> answers;

    /**
     * Opens the root, and starts the threads that wait for the disk.
     *
     * @throws IllegalArgumentException where there is no root, or a file that was named cannot be
     *     had
     */
    FileTree(Settings settings) {
        this.settings = settings;
        FaultLog log = new FaultLog(settings.log());
        Reader reader = new Reader(settings.calls());
        Root root = RootCheck.open(settings, reader, log);
        errors = new ErrorPages(root, settings, log);
        errors.refresh(reader);
        Disk disk = new Disk(settings.calls(), root::close);
        cache = new FileCache(settings.memoryBytesMax(), settings.openFilesMax());
        loader = new Loader(root, disk, cache, settings, log);
        // Random, so that no file can have been made to contain it.
        String boundary = UUID.randomUUID().toString();
        answers = ThreadLocal.withInitial(() -> new Answer(boundary));
        sweeper = new Sweeper(root, disk, cache, loader, errors);
        sweeper.start(settings.calls());
    }

    /** Answers {@code request}, a GET or HEAD; at once where its file is known. */
    void handle(Request request, Response response) {
        ByteView path = request.path();
        int from = settings.mount().length();
        if (from > 0 && !isMounted(path)) {
            notMounted(path, request, response);
            return;
        }
        Answer answer = answers.get();
        Entry entry = cache.find(path, from);
        if (entry == null) {
            int length = RequestPath.decode(path, from, answer.path, settings.dotFiles());
            if (length < 0) {
                Refusal refusal =
                        length == RequestPath.MALFORMED ? Refusal.MALFORMED : Refusal.NOT_FOUND;
                errors.answer(refusal, request, response);
                return;
            }
            entry = cache.find(answer.path, length);
            if (entry == null) {
                load(new String(answer.path, 0, length, ISO_8859_1), request, response);
                return;
            }
        }
        if (!entry.used) {
            entry.used = true;
        }
        if (entry.asleep || !answer.write(entry, request, response)) {
            load(entry.path, request, response);
        }
    }

    private boolean isMounted(ByteView path) {
        String mount = settings.mount();
        if (path.length() <= mount.length() || path.at(mount.length()) != '/') {
            return false;
        }
        for (int i = 0; i < mount.length(); i++) {
            if (path.at(i) != mount.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private void notMounted(ByteView path, Request request, Response response) {
        if (path.contentEquals(settings.mount())) {
            Redirect.send(settings.mount(), "", request, response);
        } else {
            errors.answer(Refusal.NOT_FOUND, request, response);
        }
    }

    private void load(String path, Request request, Response response) {
        new Waiting(this, path, request, response).load();
    }

    // ---- for a request that waits

    Settings settings() {
        return settings;
    }

    Loader loader() {
        return loader;
    }

    ErrorPages errors() {
        return errors;
    }

    /** The calling loop's own. */
    Answer answer() {
        return answers.get();
    }

    // ---- the end

    /** For tests: what is known. */
    FileCache cache() {
        return cache;
    }

    /** As {@link StaticFiles#close}. */
    void close() {
        if (closing.compareAndSet(false, true)) {
            loader.close();
            cache.close();
            sweeper.end();
        }
    }
}
