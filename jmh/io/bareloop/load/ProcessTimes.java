package io.bareloop.load;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the threads of some processes have used so far, out of /proc: the scheduler's nanoseconds,
 * and user and system time in ticks of 10 ms.
 */
final class ProcessTimes {
    /** Of one thread. */
    private record Times(
            String name, long userTicks, long systemTicks, long runNanos, long waitNanos) {}

    private final Map<String, Times> threads = new TreeMap<>();
    private long userTicks;
    private long systemTicks;
    private long residentKilobytes;

    private ProcessTimes() {}

    /** Looks at these processes; those that have ended count as nothing. */
    static ProcessTimes of(List<Long> pids) {
        ProcessTimes times = new ProcessTimes();
        for (long pid : pids) {
            Path process = Path.of("/proc", String.valueOf(pid));
            try {
                times.addProcess(process);
            } catch (IOException e) {
                throw new IllegalStateException("process " + pid + " cannot be watched: " + e, e);
            }
        }
        return times;
    }

    private void addProcess(Path process) throws IOException {
        String[] stat = stat(process);
        userTicks += Long.parseLong(stat[11]);
        systemTicks += Long.parseLong(stat[12]);
        for (String line : Files.readAllLines(process.resolve("status"))) {
            if (line.startsWith("VmRSS:")) {
                residentKilobytes += Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(process.resolve("task"))) {
            for (Path task : tasks) {
                addThread(task);
            }
        }
    }

    /** A thread that ends meanwhile is left out; the process's own figures have its time. */
    private void addThread(Path task) {
        try {
            addThreadThatLives(task);
        } catch (IOException e) {
            threads.remove(task.toString());
        }
    }

    private void addThreadThatLives(Path task) throws IOException {
        String[] stat = stat(task);
        long run = -1;
        long wait = -1;
        Path schedstat = task.resolve("schedstat");
        if (Files.exists(schedstat)) {
            String[] fields = Files.readString(schedstat).strip().split(" ", 3);
            run = Long.parseLong(fields[0]);
            wait = Long.parseLong(fields[1]);
        }
        threads.put(
                task.toString(),
                new Times(
                        Files.readString(task.resolve("comm")).strip(),
                        Long.parseLong(stat[11]),
                        Long.parseLong(stat[12]),
                        run,
                        wait));
    }

    /** The fields behind the name, which may have blanks in it. */
    private static String[] stat(Path task) throws IOException {
        String line = Files.readString(task.resolve("stat"));
        return line.substring(line.lastIndexOf(") ") + 2).split(" ", -1);
    }

    /** What was used since {@code before}, as JSON; threads that did nothing are left out. */
    String since(ProcessTimes before) {
        List<String> lines = new ArrayList<>();
        long runAll = 0;
        for (Map.Entry<String, Times> entry : threads.entrySet()) {
            Times now = entry.getValue();
            Times then =
                    before.threads.getOrDefault(entry.getKey(), new Times(now.name(), 0, 0, 0, 0));
            long run = now.runNanos() - then.runNanos();
            runAll += run;
            if (run > 0 || now.runNanos() < 0) {
                lines.add(
                        "{\"thread\": "
                                + Json.string(now.name())
                                + ", \"run_ns\": "
                                + run
                                + ", \"wait_ns\": "
                                + (now.waitNanos() - then.waitNanos())
                                + ", \"user_ticks\": "
                                + (now.userTicks() - then.userTicks())
                                + ", \"system_ticks\": "
                                + (now.systemTicks() - then.systemTicks())
                                + "}");
            }
        }
        return new Json()
                .put("user_ticks", userTicks - before.userTicks)
                .put("system_ticks", systemTicks - before.systemTicks)
                .put("run_ns", runAll)
                .put("rss_kb", residentKilobytes)
                .putRaw("threads", "[" + String.join(", ", lines) + "]")
                .toString();
    }

    /** Of all CPUs together: busy ticks, and those the hypervisor gave to others. */
    static long[] machine() {
        try {
            String[] cpu = Files.readAllLines(Path.of("/proc/stat")).get(0).split(" +", -1);
            long busy = 0;
            for (int i : new int[] {1, 2, 3, 6, 7}) {
                busy += Long.parseLong(cpu[i]);
            }
            return new long[] {busy, Long.parseLong(cpu[8])};
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
