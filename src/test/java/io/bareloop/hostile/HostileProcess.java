package io.bareloop.hostile;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** {@link HostileServer} in a JVM of its own, and what it says. Killed when closed. */
final class HostileProcess implements AutoCloseable {
    private static final int ANSWER_SECONDS_MAX = 40;
    private static final int TAIL_LINES_MAX = 60;

    private final Process process;
    private final Consumer<String> faults;
    private final CompletableFuture<int[]> ports = new CompletableFuture<>();

    /** By the client's address. */
    private final Map<Integer, String> killed = new ConcurrentHashMap<>();

    /** From where the loop closed the connection of an address, where that is traced. */
    private final Map<Integer, String> closed = new ConcurrentHashMap<>();

    private final Deque<String> tail = new ArrayDeque<>();
    private Map<String, String> report = new ConcurrentHashMap<>();
    private CompletableFuture<Map<String, String>> reported = new CompletableFuture<>();
    private volatile boolean dead;
    private volatile boolean quitting;

    /**
     * Starts the JVM.
     *
     * @param arguments of the server, but for the faults left out
     * @param without names, the faults' among them, that are left out
     * @param faults is told, from another thread, what the server says that must not be
     */
    HostileProcess(
            List<String> jvmOptions,
            List<String> arguments,
            Set<String> without,
            Consumer<String> faults)
            throws IOException {
        this.faults = faults;
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(HostileServer.class.getName());
        command.addAll(arguments);
        for (ChaosSyscalls.Fault fault : ChaosSyscalls.Fault.values()) {
            if (without.contains(fault.name())) {
                command.add(fault.name());
            }
        }
        process = new ProcessBuilder(command).start();
        follow(process.inputReader(UTF_8), this::said);
        follow(process.errorReader(UTF_8), this::keep);
    }

    private void follow(BufferedReader from, Consumer<String> to) {
        Thread.ofPlatform()
                .daemon()
                .name("output of " + process.pid())
                .start(
                        () -> {
                            try (from) {
                                from.lines().forEach(to);
                            } catch (IOException | UncheckedIOException e) {
                                keep("(cut off: " + e + ")");
                            }
                        });
    }

    private void said(String line) {
        String[] words = line.split(" ", 3);
        switch (words[0]) {
            case "ready" -> ports.complete(portsOf(line));
            case "killed" -> killed.put(Integer.parseUnsignedInt(words[1]), words[2]);
            case "closed" -> closed.put(Integer.parseUnsignedInt(words[1]), words[2]);
            case "report" -> report.put(words[1], words[2]);
            case "reported" -> reported();
            case "dead" -> {
                dead = true;
                faults.accept(line);
            }
            case "astray", "odd" -> faults.accept("server: " + line);
            default -> keep(line);
        }
    }

    private static int[] portsOf(String line) {
        String[] words = line.split(" ", -1);
        int[] found = new int[words.length - 1];
        for (int i = 0; i < found.length; i++) {
            found[i] = Integer.parseInt(words[i + 1]);
        }
        return found;
    }

    private synchronized void reported() {
        reported.complete(report);
    }

    private synchronized void keep(String line) {
        tail.add(line);
        if (tail.size() > TAIL_LINES_MAX) {
            tail.remove();
        }
    }

    /** The last lines that it has printed otherwise: stack traces, warnings. */
    synchronized String tail() {
        return String.join("\n", tail);
    }

    /** The ports of its loops, once it is ready. */
    int[] ports() throws IOException, InterruptedException {
        return await(ports, "ready");
    }

    private <T> T await(CompletableFuture<T> future, String what)
            throws IOException, InterruptedException {
        for (int i = 0; i < ANSWER_SECONDS_MAX * 10; i++) {
            try {
                return future.get(100, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (!process.isAlive()) {
                    break;
                }
            } catch (java.util.concurrent.ExecutionException e) {
                throw new AssertionError(e);
            }
        }
        throw new IOException("the server's JVM is not " + what + ":\n" + tail());
    }

    /** Whether the JVM or one of its loops has ended. */
    boolean isDead() {
        return dead || (!process.isAlive() && !quitting);
    }

    /** What ended the connection of {@code address}; null where it was no fault, or not yet. */
    String killed(int address) {
        return killed.get(address);
    }

    /** From where the loop closed the connection of {@code address}; null where nobody says. */
    String closed(int address) {
        return closed.get(address);
    }

    private void tell(String line) throws IOException {
        process.getOutputStream().write((line + "\n").getBytes(UTF_8));
        process.getOutputStream().flush();
    }

    /** From now on system calls do not fail. */
    void calm() throws IOException {
        tell("calm");
    }

    /** Asks how it is. */
    Map<String, String> report() throws IOException, InterruptedException {
        CompletableFuture<Map<String, String>> next = new CompletableFuture<>();
        synchronized (this) {
            report = new ConcurrentHashMap<>();
            reported = next;
        }
        tell("report");
        return await(next, "answering");
    }

    /** Has it end all loops; returns its exit status, -1 where it does not come. */
    int quit() throws IOException, InterruptedException {
        quitting = true;
        tell("quit");
        return process.waitFor(ANSWER_SECONDS_MAX, TimeUnit.SECONDS) ? process.exitValue() : -1;
    }

    /** Ends the JVM at once. */
    void kill() {
        process.destroyForcibly();
    }

    @Override
    public void close() {
        quitting = true;
        process.destroyForcibly();
    }
}
