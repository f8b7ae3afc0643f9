package io.bareloop.loop;

import io.bareloop.net.Affinity;
import io.bareloop.net.DescriptorTable;
import io.bareloop.net.Epoll;
import io.bareloop.net.Knob;
import io.bareloop.net.KnobLog;
import io.bareloop.net.ListenerGroup;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;

/** What a loop asks the kernel for beyond what it needs, and tells a log what that came to. */
final class Tuning {
    private final Syscalls sys;
    private final LoopOptions options;
    private final KnobLog log;

    Tuning(Syscalls sys, LoopOptions options, KnobLog log) {
        this.sys = sys;
        this.options = options;
        this.log = log;
    }

    /** Has the loop's waits poll the network device before they sleep, where that is wanted. */
    void busyPoll(Epoll epoll) {
        Knob wanted = options.busyPoll();
        if (wanted.wanted()) {
            log.note(
                    "epoll busy poll " + wanted.value() + " us",
                    Knob.Mode.AUTO,
                    epoll.busyPoll(wanted.value(), ListenerGroup.BUSY_POLL_BUDGET, true),
                    "needs Linux 6.9; before, net.core.busy_poll sets it for the whole system");
        }
    }

    /** Opens the ring of {@code batch}. Returns false where it cannot be had. */
    boolean openBatch(Batch batch) {
        return log.note(
                "io_uring",
                options.ioUring().mode(),
                batch.open(),
                "needs Linux 6.6, kernel.io_uring_disabled=0, a seccomp filter that allows it, and"
                        + " an RLIMIT_MEMLOCK of 8 KiB for each loop");
    }

    /** {@link Loop#pin}. */
    void pin() {
        if (options.cpu() >= 0) {
            int result = Affinity.pinCurrentThread(sys, options.cpu());
            if (result < 0) {
                throw new IllegalStateException(
                        "cannot pin to CPU " + options.cpu() + ": " + Errno.describe(result));
            }
        }
    }

    /** {@link Loop#separateDescriptors}. Returns whether the thread has a table of its own. */
    boolean separateDescriptors(int[] others) {
        Knob wanted = options.privateDescriptors();
        if (!wanted.wanted()) {
            return false;
        }
        openClasses();
        return log.note(
                "private descriptors",
                wanted.mode(),
                DescriptorTable.unshare(sys, others),
                "allow unshare(2) with CLONE_FILES, or leave the tables shared");
    }

    /**
     * Has the file that our classes are in opened, while all threads share one table. With a cache
     * of classes nothing may have been read from it yet; a thread that opened it later would be the
     * only one to have it, and every other would read from another file, or none.
     */
    private static void openClasses() {
        try (InputStream own = Tuning.class.getResourceAsStream("Tuning.class")) {
            if (own == null || own.read() < 0) {
                throw new AssertionError("a class that runs is not to be found");
            }
        } catch (IOException unreadable) {
            // Then nobody can read more of it, in whichever table.
            return;
        }
    }
}
