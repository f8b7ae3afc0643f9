package io.bareloop.rig;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * The command line, or a program, in a process of its own, with what it prints; killed on close.
 */
public final class ServerProcess implements AutoCloseable {
    private static final int LIMIT_SECONDS = 20;

    private final Process process;
    private final List<String> out = new CopyOnWriteArrayList<>();
    private final List<String> err = new CopyOnWriteArrayList<>();
    private final List<Thread> readers = new ArrayList<>();

    private ServerProcess(Process process) {
        this.process = process;
        read(process.inputReader(UTF_8), out);
        read(process.errorReader(UTF_8), err);
    }

    /** Runs io.bareloop.app.Main with {@code arguments}. */
    public static ServerProcess run(List<String> jvmOptions, String... arguments)
            throws IOException {
        return program("io.bareloop.app.Main", jvmOptions, arguments);
    }

    /** Runs the class called {@code main} with {@code arguments}. */
    public static ServerProcess program(String main, List<String> jvmOptions, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(tool("java"));
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(main);
        command.addAll(List.of(arguments));
        return new ServerProcess(new ProcessBuilder(command).start());
    }

    /**
     * Runs a script of sh, in which {@code exec $SERVER} becomes io.bareloop.app.Main, and waits
     * until that says that it is ready: for arguments and directories that Java cannot name.
     */
    public static ServerProcess startByShell(Map<String, String> environment, String script)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", script);
        builder.environment().putAll(environment);
        builder.environment()
                .put(
                        "SERVER",
                        String.join(
                                " ",
                                tool("java"),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "io.bareloop.app.Main"));
        return ready(new ServerProcess(builder.start()));
    }

    /** As {@link #run}, and waits until it says that it is ready. */
    public static ServerProcess start(List<String> jvmOptions, String... arguments)
            throws IOException, InterruptedException {
        return ready(run(jvmOptions, arguments));
    }

    private static ServerProcess ready(ServerProcess server) throws InterruptedException {
        boolean ready = false;
        try {
            long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
            while (server.line("  ready") == null) {
                if (!server.process.isAlive() || System.nanoTime() > limit) {
                    throw new AssertionError("not ready: " + server.out + " " + server.err);
                }
                Thread.sleep(5);
            }
            ready = true;
            return server;
        } finally {
            if (!ready) {
                server.close();
            }
        }
    }

    /** A program of the JDK that runs this. */
    public static String tool(String name) {
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }

    public long pid() {
        return process.pid();
    }

    /** The port it says it serves. */
    public int port() {
        String line = line("  serving ");
        return Integer.parseInt(line.replaceAll(".*:([0-9]+)/$", "$1"));
    }

    /** The lines printed so far. */
    public List<String> out() {
        return List.copyOf(out);
    }

    public List<String> err() {
        return List.copyOf(err);
    }

    /** The first line printed that begins like this, or null. */
    public String line(String start) {
        return out.stream().filter(line -> line.startsWith(start)).findFirst().orElse(null);
    }

    /** As {@link #line}, and waits until there is one. */
    public String awaitLine(String start) throws InterruptedException {
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (line(start) == null) {
            if (System.nanoTime() > limit) {
                throw new AssertionError("no line " + start + ": " + out + " " + err);
            }
            Thread.sleep(5);
        }
        return line(start);
    }

    /** A line of /proc/pid/status, for example VmRSS. */
    public String status(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid() + "/status"))) {
            if (line.startsWith(name + ":")) {
                return line.substring(name.length() + 1).strip();
            }
        }
        throw new AssertionError("no line " + name);
    }

    /**
     * Leaves the test out where the process ignores the signal: a job of a shell in the background
     * has SIGINT ignored, one of nohup SIGHUP, and so have their children.
     */
    public void assumeHears(String name) throws IOException {
        int number = Map.of("HUP", 1, "INT", 2, "TERM", 15).get(name);
        long ignored = Long.parseUnsignedLong(status("SigIgn"), 16);
        Assumptions.assumeTrue((ignored >> (number - 1) & 1) == 0, "SIG" + name + " is ignored");
    }

    /** Sends a signal, for example TERM. */
    public void signal(String name) throws IOException, InterruptedException {
        int result =
                new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid())
                        .inheritIO()
                        .start()
                        .waitFor();
        if (result != 0) {
            throw new AssertionError("kill exited with " + result);
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for the end, with all that was printed before it; returns the exit status. */
    public int exit() throws InterruptedException {
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("still running after " + LIMIT_SECONDS + " s: " + out + err);
        }
        for (Thread reader : readers) {
            reader.join();
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    private void read(BufferedReader from, List<String> to) {
        Thread reader =
                new Thread(
                        () -> {
                            try (from) {
                                from.lines().forEach(to::add);
                            } catch (IOException | UncheckedIOException e) {
                                to.add("(cut off: " + e + ")");
                            }
                        },
                        "output of " + process.pid());
        reader.setDaemon(true);
        reader.start();
        readers.add(reader);
    }
}
