package io.bareloop.rig;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.Handler;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import io.bareloop.server.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Random;
import java.util.function.UnaryOperator;

/** A directory of files, served by a server of its own; and a client. */
public final class Site implements AutoCloseable {
    /** When the files of a site were changed, if the test says nothing else: long settled. */
    public static final Instant MODIFIED = Instant.parse("2026-02-03T04:05:06Z");

    public static final String MODIFIED_TEXT = "Tue, 03 Feb 2026 04:05:06 GMT";

    public final Path root;
    public final StaticFiles files;
    public final HttpServer server;
    public final Client client;

    public Site(Path root, UnaryOperator<StaticFiles.Builder> configure) throws IOException {
        this(root, configure, files -> files);
    }

    /** Serves what {@code application} makes of the files. */
    public Site(
            Path root,
            UnaryOperator<StaticFiles.Builder> configure,
            UnaryOperator<Handler> application)
            throws IOException {
        this.root = root;
        files = configure.apply(StaticFiles.builder(root).log(line -> {})).build();
        Handler handler = application.apply(files);
        server =
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .cpus(CpuSet.unpinned(1))
                        .busyPoll(Setting.OFF)
                        .handler(handler)
                        .start();
        client = Client.connect(server.port());
    }

    public Site(Path root) throws IOException {
        this(root, builder -> builder);
    }

    /** Asks for {@code path} with {@code fields}. */
    public Answer get(String path, String... fields) throws IOException {
        client.send(Client.request("GET", path, fields));
        return client.answer();
    }

    public Answer head(String path, String... fields) throws IOException {
        client.send(Client.request("HEAD", path, fields));
        return client.answerToHead();
    }

    /** Writes a file, one byte a character, as if long ago. */
    public static Path write(Path file, String latin1) throws IOException {
        return write(file, latin1.getBytes(ISO_8859_1));
    }

    public static Path write(Path file, byte[] bytes) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
        return Files.setLastModifiedTime(file, FileTime.from(MODIFIED));
    }

    /** Bytes in which a lost, doubled or swapped piece shows. */
    public static byte[] bytes(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    public static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        client.close();
        server.close();
        files.close();
    }
}
