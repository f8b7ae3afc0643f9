package io.bareloop.loop;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** What any thread may have a loop run, in its order. */
final class Tasks {
    /** So that tasks which make tasks let the connections have their turn. */
    private static final int PER_TURN_MAX = 1024;

    private final Loop loop;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

    Tasks(Loop loop) {
        this.loop = loop;
    }

    /** Adds {@code task}. For any thread. */
    void add(Runnable task) {
        tasks.add(task);
    }

    boolean isEmpty() {
        return tasks.isEmpty();
    }

    /** Runs those that are there, as far as one turn goes. On the loop. */
    void run() {
        for (int i = 0; i < PER_TURN_MAX; i++) {
            Runnable task = tasks.poll();
            if (task == null) {
                return;
            }
            try {
                task.run();
            } catch (VirtualMachineError | LinkageError error) {
                // Of our own part of it: a handler's has its guard, and so has its connection.
                loop.output().clear();
                loop.complaints.say("a task of the loop failed", error, loop.now());
            }
        }
    }
}
