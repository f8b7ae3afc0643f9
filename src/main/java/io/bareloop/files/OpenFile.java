package io.bareloop.files;

import io.bareloop.http.FileBody;
import io.bareloop.wire.FileSource;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file that several loops send from. The cache has one use of it and each response has
 * another; with the last one the descriptor is closed.
 */
final class OpenFile implements FileSource {
    private final Disk disk;
    private final int fd;
    private final FileBody body = new FileBody(this);
    private final AtomicInteger uses = new AtomicInteger(1);

    /** For so long after it was found there a file in use is taken to be in the cache. */
    private static final long WARM_NANOS = 1_000_000_000L;

    // Threads of the disk and loops write these and loops read them, without order: they guess.
    private long warmEnd;
    private long warmNanos;

    /** Takes over {@code fd}, with one use. */
    OpenFile(Disk disk, int fd) {
        this.disk = disk;
        this.fd = fd;
        disk.begin();
    }

    /** As responses take it. */
    FileBody body() {
        return body;
    }

    @Override
    public int descriptor() {
        return fd;
    }

    /** Begins a use; false where the last one has ended, and the number may be another file's. */
    boolean retain() {
        while (true) {
            int now = uses.get();
            if (now == 0) {
                return false;
            }
            if (uses.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    @Override
    public void release() {
        if (uses.decrementAndGet() == 0) {
            // Not here: the last close of a file that has been deleted frees its blocks.
            disk.close(fd);
        }
    }

    @Override
    public void noteWarm(long end, long nanos) {
        // Of two that hold, the one that says more.
        if (end >= warmEnd || !isWarm(end, nanos)) {
            warmEnd = end;
            warmNanos = nanos;
        }
    }

    @Override
    public boolean isWarm(long end, long nanos) {
        return end <= warmEnd && nanos - warmNanos < WARM_NANOS;
    }

    @Override
    public void warm(long offset, int length, Runnable then) {
        if (!retain()) {
            throw new IllegalStateException("the caller has no use of this file");
        }
        disk.warm(this, offset, length, then);
    }
}
