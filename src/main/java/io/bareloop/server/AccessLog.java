package io.bareloop.server;

import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.Objects;

/**
 * A line of each request of one server, also of those that were refused or cut off, to a file or
 * the standard output. For {@link HttpServer.Builder#accessLog HttpServer.Builder.accessLog}.
 *
 * <p>Lines are written by a thread of the log's own, a quarter of a second behind at the most, and
 * all of them before the server has ended, unless they cannot be written for five seconds. The
 * loops never wait for it: where it cannot keep up, or the disk is full, lines are dropped and
 * counted, and a line of the server's log says so, once a second at the most. Each loop takes 1 MiB
 * of the heap for it.
 *
 * <p>To rotate the file, rename it and call {@link #reopen}. All methods are for any thread.
 */
public final class AccessLog {
    /** How a line looks. */
    public enum Format {
        /**
         * The Common Log Format: {@code 192.0.2.1 - - [30/Nov/2026:13:55:36 +0100] "GET / HTTP/1.1"
         * 200 5}. The time is that of the request, in the time zone of the JVM; the status is 000
         * where no response had begun. Of what was no valid request the first line is there as it
         * came. Quotes, backslashes and bytes that are no printable ASCII are {@code \xHH}.
         */
        COMMON,

        /** As {@link #COMMON}, with {@code Referer} and {@code User-Agent} behind it, quoted. */
        COMBINED,

        /**
         * An object of JSON: time (RFC 3339, UTC), client, method, target, protocol, status, bytes,
         * duration_us, whole, referer, user_agent, host. What is not known is null, but for the
         * status, which is 0; U+FFFD stands for bytes that are no UTF-8.
         */
        JSON
    }

    private final Path path;
    private final Format format;
    private volatile AccessLogWriter writer;

    private AccessLog(Path path, Format format) {
        this.path = path;
        this.format = Objects.requireNonNull(format, "format");
    }

    /**
     * A log that is appended to {@code file}, which is made where it is missing, when the server
     * starts.
     *
     * @param file in a directory that exists
     * @param format of the lines; values of requests are cut to 4096 bytes in each
     * @return the log, for one server
     */
    public static AccessLog file(Path file, Format format) {
        return new AccessLog(Objects.requireNonNull(file, "file"), format);
    }

    /**
     * A log on the standard output of the process, past {@code System.out}.
     *
     * @param format of the lines
     * @return the log, for one server
     */
    public static AccessLog standardOutput(Format format) {
        return new AccessLog(null, format);
    }

    /**
     * Opens the file by its name again, soon, when what came before has been written: lines go to
     * the file that has that name then. Where it cannot be opened, they go on to the one that was
     * open, and it is tried again until it can. Does nothing before the start of the server, behind
     * its end, and with the standard output.
     */
    public void reopen() {
        AccessLogWriter running = writer;
        if (running != null && path != null) {
            running.reopen();
        }
    }

    /** {@return how many lines have been dropped so far, because they could not be written} */
    public long dropped() {
        AccessLogWriter running = writer;
        return running == null ? 0 : running.dropped();
    }

    // ---- what the server calls

    /**
     * The server starts.
     *
     * @throws IOException where the file cannot be opened
     * @throws IllegalStateException where another server has it
     */
    synchronized void open(Log log) throws IOException {
        if (writer != null) {
            throw new IllegalStateException("an access log is for one server: make another");
        }
        AccessLogFile file = new AccessLogFile(path);
        try {
            file.open();
        } catch (IOException e) {
            throw new IOException("the access log cannot be opened: " + e, e);
        }
        AccessLogWriter opened = new AccessLogWriter(file, log);
        opened.start();
        writer = opened;
    }

    /** What writes the lines of one loop more. */
    AccessLines lines() {
        LineRing ring = new LineRing();
        AccessLines lines = new AccessLines(format, ring, ZoneId.systemDefault());
        writer.add(ring);
        return lines;
    }

    /** The loops have ended. */
    void close() {
        writer.close();
    }
}
