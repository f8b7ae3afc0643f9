package io.bareloop.files;

import io.bareloop.http.Fields;
import io.bareloop.http.HttpException;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.sys.Errno;
import io.bareloop.sys.FileStatus;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What is answered in the place of a file: the root's own page, 404.html or 50x.html, or else the
 * one that is built in.
 *
 * <p>The root's pages are opened as other files are, and only small ones count. They are in memory
 * from the start on, with the whole response, for a 503 is due just when nothing can be opened; the
 * sweep looks at them again. Their responses have no ETag and no date, and no condition or range is
 * asked: the page is no representation of what was asked for.
 *
 * <p>Loops read; {@link #refresh} is for one thread at a time.
 */
final class ErrorPages {
    static final String NOT_FOUND_NAME = "404.html";
    static final String FAILED_NAME = "50x.html";

    private final Root root;
    private final Settings settings;
    private final FaultLog log;
    private final Page notFound = new Page(NOT_FOUND_NAME, List.of(Refusal.NOT_FOUND));
    private final Page failed =
            new Page(
                    FAILED_NAME,
                    Arrays.stream(Refusal.values())
                            .filter(refusal -> refusal.status().code() >= 500)
                            .toList());

    ErrorPages(Root root, Settings settings, FaultLog log) {
        this.root = root;
        this.settings = settings;
        this.log = log;
    }

    /**
     * Answers {@code request}; nothing is allocated for that.
     *
     * @throws HttpException to answer with what the server has for such an error
     */
    void answer(Refusal refusal, Request request, Response response) {
        Prepared own = notFound.answers.get(refusal);
        if (own == null) {
            own = failed.answers.get(refusal);
        }
        if (own == null) {
            throw refusal.builtIn().exception();
        }
        response.send(own);
    }

    /** Looks at the files, and reads those that have changed. */
    void refresh(Reader reader) {
        root.refresh(reader);
        notFound.refresh(reader);
        failed.refresh(reader);
    }

    private final class Page {
        private final String name;
        private final List<Refusal> refusals;

        /** Empty where there is no such page. */
        private volatile Map<Refusal, Prepared> answers = new EnumMap<>(Refusal.class);

        private FileVersion version = FileVersion.NONE;
        private boolean settled = true;
        private byte[] bytes;

        Page(String name, List<Refusal> refusals) {
            this.name = name;
            this.refusals = refusals;
        }

        void refresh(Reader reader) {
            // Only to look at: to open a pipe to be read is seen at its other end.
            int fd = root.openWithStatus(reader, name, false);
            if (fd < 0) {
                if (!isPassing(fd)) {
                    forget(FileVersion.NONE);
                }
                return;
            }
            reader.sys.close(fd);
            if (!FileStatus.isRegular(reader.status)) {
                forget(FileVersion.NONE);
                return;
            }
            FileVersion now = FileVersion.of(reader.status);
            if (settled && now.equals(version)) {
                return;
            }
            if (now.size() > settings.smallBytesMax()) {
                complain(now, "it has more bytes than a small file, " + settings.smallBytesMax());
                forget(now);
                return;
            }
            read(reader, now);
        }

        private void read(Reader reader, FileVersion now) {
            int fd = root.openWithStatus(reader, name, true);
            if (fd < 0) {
                if (!isPassing(fd)) {
                    complain(now, Errno.describe(fd));
                    forget(now);
                }
                return;
            }
            // What was looked at may have been replaced since.
            FileVersion opened = FileVersion.of(reader.status);
            boolean good =
                    FileStatus.isRegular(reader.status)
                            && opened.size() <= settings.smallBytesMax();
            byte[] read = good ? reader.bytes(fd, 0, (int) opened.size()) : null;
            reader.sys.close(fd);
            if (read == null) {
                // The next sweep sees what has come of it.
                return;
            }
            version = opened;
            settled = opened.isSettled(System.currentTimeMillis() * 1_000_000L);
            if (!Arrays.equals(read, bytes)) {
                bytes = read;
                answers = answers();
            }
        }

        private Map<Refusal, Prepared> answers() {
            Map<Refusal, Prepared> made = new EnumMap<>(Refusal.class);
            String type = settings.types().of(name);
            for (Refusal refusal : refusals) {
                Fields fields = refusal.fields().with(Names.CONTENT_TYPE, type);
                made.put(refusal, Prepared.of(refusal.status(), fields, bytes));
            }
            return made;
        }

        /** Once for each version. */
        private void complain(FileVersion now, String why) {
            if (!now.equals(version)) {
                log.say("\"/" + name + "\" is not sent with errors: " + why);
            }
        }

        private void forget(FileVersion now) {
            version = now;
            settled = true;
            if (bytes != null) {
                bytes = null;
                answers = new EnumMap<>(Refusal.class);
            }
        }
    }

    /** Whether it says nothing about the file: what is known of it holds. */
    private static boolean isPassing(int error) {
        return Refusal.of(error) != Refusal.NOT_FOUND;
    }
}
