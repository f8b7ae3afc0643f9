package io.bareloop.files;

import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The threads that wait for the disk, so that no loop does. Platform threads: a system call would
 * hold the carrier of a virtual one anyway. For any thread.
 *
 * <p>They end when nobody has a {@link #begin use} of them any more: the owner has one, and each
 * open file, for a response that is under way may need a part of it read, and closes it at the end.
 */
final class Disk {
    /** So many files can be waited for at a time; one slow disk has no use for more. */
    private static final int THREADS = 4;

    /** What a loop sends of a file at first. */
    private static final int BEGINNING_BYTES = 256 << 10;

    private final Function<Arena, Syscalls> calls;

    /** Bounded by whoever puts: one task per connection at the most, and one per file loaded. */
    private final LinkedBlockingQueue<Consumer<Reader>> tasks = new LinkedBlockingQueue<>();

    /** Uses that have not ended; 1 is the owner's. */
    private final AtomicInteger uses = new AtomicInteger(1);

    private final AtomicInteger running = new AtomicInteger(THREADS);

    /** What the last of the threads does. */
    private final Consumer<Reader> atEnd;

    Disk(Function<Arena, Syscalls> calls, Consumer<Reader> atEnd) {
        this.calls = calls;
        this.atEnd = atEnd;
        for (int i = 0; i < THREADS; i++) {
            Thread.ofPlatform().daemon().name("bareloop-disk-" + i).start(this::work);
        }
    }

    /** Runs {@code task} on one of the threads, soon; never once they have ended. */
    void execute(Consumer<Reader> task) {
        tasks.add(task);
    }

    /** Begins a use; by whoever has one, or on one of the threads. */
    void begin() {
        uses.incrementAndGet();
    }

    /** Ends a use. With the last one the threads do what is queued, and end. */
    void end() {
        if (uses.decrementAndGet() == 0) {
            wakeOne();
        }
    }

    /** Closes {@code fd} on one of the threads, and ends the use of it. */
    void close(int fd) {
        tasks.add(
                reader -> {
                    reader.sys.close(fd);
                    end();
                });
    }

    /** Reads a part of a file that the caller has a use of, then ends that use. */
    void warm(OpenFile file, long offset, int length, Runnable then) {
        tasks.add(
                reader -> {
                    read(reader, file.descriptor(), offset, length);
                    file.release();
                    then.run();
                });
    }

    /**
     * Sees to it that the beginning of a file of {@code size} bytes is in the kernel's cache. Done
     * for files in use before a loop asks: it need not then.
     */
    static void warmBeginning(Reader reader, OpenFile file, long size) {
        int length = (int) Math.min(size, BEGINNING_BYTES);
        int fd = file.descriptor();
        if (reader.sys.preadv2Nowait(fd, 0) < 0 || reader.sys.preadv2Nowait(fd, length - 1L) < 0) {
            read(reader, fd, 0, length);
        }
        file.noteWarm(length, System.nanoTime());
    }

    /** Reads and forgets: what was read is in the kernel's cache afterwards. */
    private static void read(Reader reader, int fd, long offset, int length) {
        int done = 0;
        while (done < length) {
            int piece = Math.min(Reader.BUFFER_BYTES, length - done);
            int read = reader.sys.pread(fd, reader.buffer, 0, piece, offset + done);
            if (read <= 0 && read != -Errno.EINTR) {
                // The end or an error: the sendfile that follows meets it too, and says so.
                return;
            }
            done += Math.max(read, 0);
        }
    }

    private void work() {
        Reader reader = new Reader(calls);
        while (uses.get() > 0 || !tasks.isEmpty()) {
            try {
                Consumer<Reader> task = tasks.poll(1, TimeUnit.HOURS);
                if (task != null) {
                    task.accept(reader);
                }
            } catch (InterruptedException strange) {
                // By a task's own doing: nobody else knows these threads.
            } catch (RuntimeException | Error e) {
                // Of a task's making; the thread has others to serve.
                Thread current = Thread.currentThread();
                current.getUncaughtExceptionHandler().uncaughtException(current, e);
            }
        }
        if (running.decrementAndGet() == 0) {
            atEnd.accept(reader);
        } else {
            wakeOne();
        }
    }

    /** Whoever takes this looks whether there is more to come; the last one is left. */
    private void wakeOne() {
        tasks.add(reader -> {});
    }
}
