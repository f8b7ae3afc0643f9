package io.bareloop.app;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Builds a file from which the JVM starts faster: classes loaded and linked, and what was measured
 * of the methods that ran (JEP 483, 514, 515).
 *
 * <p>It is written by a training run: this program in a process of its own, started with the JVM
 * options of this one, which is asked for everything that the demonstration serves, and ended by
 * SIGTERM. What the run did is in the file, so it starts, serves and shuts down as others will.
 */
final class AotCache {
    /** How a JDK makes such a file, and is told to use it. */
    enum Kind {
        /** JDK 25 and later, in one step (JEP 514), with profiles (JEP 515). */
        AOT("AOT cache", "bareloop.aot", "-XX:AOTCacheOutput=", "-XX:AOTCache="),

        /** Before: classes alone (JEP 350). JDK 24 could do more, but in three steps. */
        CDS("CDS archive", "bareloop.jsa", "-XX:ArchiveClassesAtExit=", "-XX:SharedArchiveFile=");

        final String title;
        final String fileName;
        final String writing;
        final String reading;

        Kind(String title, String fileName, String writing, String reading) {
            this.title = title;
            this.fileName = fileName;
            this.writing = writing;
            this.reading = reading;
        }

        static Kind of(int jdk) {
            return jdk >= 25 ? AOT : CDS;
        }
    }

    /** Set to make the older kind on a JDK that has both. */
    private static final String CDS_PROPERTY = "bareloop.cds";

    /** Long enough for the compilers to have measured; the file is hardly larger for more. */
    private static final long SERVING_NANOS = 2_000_000_000L;

    /** Assembling the file takes the JVM some seconds after the last request. */
    private static final int END_SECONDS_MAX = 120;

    private static final int ANSWER_TIMEOUT_MILLIS = 10_000;
    private static final int BATCH = 16;
    private static final int CONNECTIONS_TOGETHER = 16;
    private static final int REQUESTS_IN_A_ROW = 1000;

    private AotCache() {}

    /**
     * Builds the file.
     *
     * @param arguments its name, or none
     * @throws IllegalStateException where the training run fails, with what it said
     */
    static void build(String[] arguments, PrintStream out)
            throws IOException, InterruptedException {
        Kind kind =
                Boolean.getBoolean(CDS_PROPERTY) ? Kind.CDS : Kind.of(Runtime.version().feature());
        Path file = arguments.length > 0 ? Path.of(arguments[0]) : home().resolve(kind.fileName);
        if (!Files.isDirectory(file.toAbsolutePath().getParent())) {
            throw new IOException("no such directory: " + file.toAbsolutePath().getParent());
        }
        List<String> jvm = jvmOptions(arguments.length + 1);
        // Written anew: where the run fails, an old file must not pass for its result.
        Files.deleteIfExists(file);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add(kind.writing + file);
        command.addAll(jvm);
        command.addAll(
                List.of("serve", "--port", "0", "--host", "127.0.0.1", "--cpus", allowedCpus()));
        out.println("training run: " + String.join(" ", command));
        out.flush();
        train(command);
        if (!Files.isRegularFile(file)) {
            throw new IllegalStateException("the JVM has written no " + kind.title + " to " + file);
        }
        out.printf("%s, %.1f MB: %s%n", kind.title, Files.size(file) / 1e6, file);
        out.printf("to start with it: java %s%s %s%n", kind.reading, file, String.join(" ", jvm));
    }

    /** As the kernel writes them; this process, which serves nothing, makes no call of its own. */
    private static String allowedCpus() throws IOException {
        String name = "Cpus_allowed_list:";
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(name)) {
                return line.substring(name.length()).strip();
            }
        }
        throw new IOException("/proc/self/status has no " + name);
    }

    /**
     * Whether this process runs classes of an AOT cache that is older than the jar: up to 25.0.3
     * JDK 25 does not notice (JDK-8377932), and runs what was in the jar then.
     *
     * @return what to tell the user, or null where all is well
     */
    static String staleCache() {
        // A classpath of directories, and the modules of an image, are no matter here.
        Path jar = Path.of(System.getProperty("java.class.path"));
        try {
            return Files.isRegularFile(jar)
                    ? staleCache(jar, Files.readString(Path.of("/proc/self/maps")))
                    : null;
        } catch (IOException e) {
            return null;
        }
    }

    /** As above, from the lines of /proc/self/maps: the JVM maps the cache that it uses. */
    static String staleCache(Path jar, String maps) throws IOException {
        int end = maps.indexOf(".aot\n");
        if (end < 0) {
            return null;
        }
        Path cache =
                Path.of(maps.substring(maps.indexOf('/', maps.lastIndexOf('\n', end)), end + 4));
        if (Files.getLastModifiedTime(jar).compareTo(Files.getLastModifiedTime(cache)) <= 0) {
            return null;
        }
        return "the AOT cache "
                + cache
                + " is older than "
                + jar
                + ", and would run the classes of another build; make it again (aot), or touch it"
                + " where it is of this one";
    }

    /**
     * What stands between java and the arguments of this program: options of the JVM, and -jar and
     * the jar, or a class path and the class.
     */
    private static List<String> jvmOptions(int ownArguments) {
        String[] all =
                ProcessHandle.current()
                        .info()
                        .arguments()
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "cannot read this process's own command line"));
        return List.of(Arrays.copyOf(all, all.length - ownArguments));
    }

    /** Where the program stands: the directory of the jar. */
    private static Path home() {
        Path path = Path.of(System.getProperty("java.class.path").split(":", -1)[0]);
        return Files.isRegularFile(path) && path.getParent() != null
                ? path.getParent()
                : Path.of("");
    }

    private static void train(List<String> command) throws IOException, InterruptedException {
        Process server = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (BufferedReader said = server.inputReader(UTF_8)) {
            List<String> lines = new ArrayList<>();
            int port = 0;
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                lines.add(line);
                if (line.startsWith("  serving ")) {
                    port = Integer.parseInt(line.replaceAll(".*:([0-9]+)/$", "$1"));
                }
                if (line.startsWith("  ready ")) {
                    break;
                }
            }
            if (port == 0) {
                throw new IllegalStateException(
                        "the training run did not start: " + String.join("; ", lines));
            }
            serve(port);
            // Not of the process itself: that would close its output, too.
            server.toHandle().destroy();
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                lines.add(line);
            }
            if (!server.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS) || server.exitValue() != 0) {
                throw new IllegalStateException(
                        "the training run did not end well: " + String.join("; ", lines));
            }
        } finally {
            server.destroyForcibly();
        }
    }

    /** Asks for everything, alone and in batches, over connections that stay and that do not. */
    private static void serve(int port) throws IOException {
        List<String> requests =
                List.of(
                        get("/plaintext", ""),
                        get("/json", "User-Agent: curl/8.5.0\r\nAccept: */*\r\n"),
                        get("/pipeline", "Accept-Encoding: gzip, deflate\r\n"),
                        get("/baseline11?a=1&b=2", ""),
                        "POST /baseline11?a=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n20",
                        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
                        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                + "5\r\nhello\r\n0\r\n\r\n",
                        get("/nowhere", ""));
        long end = System.nanoTime() + SERVING_NANOS;
        while (System.nanoTime() - end < 0) {
            for (String request : requests) {
                exchange(port, request, 1);
                exchange(port, request, BATCH);
            }
            askAgainAndAgain(port, 1);
            askAgainAndAgain(port, CONNECTIONS_TOGETHER);
        }
        exchange(port, "NONSENSE\r\n\r\n", 1);
    }

    private static String get(String target, String fields) {
        return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
    }

    /** Sends it {@code times} in one connection, in one piece, and reads until that is closed. */
    private static void exchange(int port, String request, int times) throws IOException {
        String last = request.replaceFirst("\r\n", "\r\nConnection: close\r\n");
        byte[] all = (request.repeat(times - 1) + last).getBytes(US_ASCII);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(ANSWER_TIMEOUT_MILLIS);
            OutputStream out = socket.getOutputStream();
            out.write(all);
            InputStream in = socket.getInputStream();
            if (in.readAllBytes().length == 0) {
                throw new IOException("the training run did not answer");
            }
        }
    }

    /**
     * What most requests of a server's life are: one after the other, in connections that stay, of
     * which several are ready at the same time.
     */
    private static void askAgainAndAgain(int port, int connections) throws IOException {
        byte[] request = get("/plaintext", "").getBytes(US_ASCII);
        byte[] answer = new byte[1024];
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                sockets.add(socket);
                socket.setSoTimeout(ANSWER_TIMEOUT_MILLIS);
                socket.setTcpNoDelay(true);
            }
            for (int i = 0; i < REQUESTS_IN_A_ROW; i += connections) {
                for (Socket socket : sockets) {
                    socket.getOutputStream().write(request);
                }
                for (Socket socket : sockets) {
                    if (socket.getInputStream().read(answer) <= 0) {
                        throw new IOException("the training run did not answer");
                    }
                }
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
