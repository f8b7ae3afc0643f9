package io.bareloop.files;

import io.bareloop.sys.FileStatus;
import java.lang.foreign.MemorySegment;

/**
 * What tells one version of a file from another without reading it. Two versions are the same only
 * where all of it is equal; a change within one tick of the file system's clock (4 ms as a rule)
 * can hide, so that a version younger than {@link #SETTLED_NANOS} is not relied on.
 *
 * @param modifiedNanos since 1970; a copying tool may have set it back
 * @param changedNanos since 1970; nobody can set it
 */
record FileVersion(long device, long inode, long size, long modifiedNanos, long changedNanos) {
    /** No file at all. */
    static final FileVersion NONE = new FileVersion(0, 0, -1, 0, 0);

    /** Two seconds: the coarsest clock of a file system in use, FAT's. */
    static final long SETTLED_NANOS = 2_000_000_000L;

    /**
     * 1990: what is older was not changed then. Image builders, Nix and Guix set 0 or 1, archives
     * of builds that are to be the same each time 1980, npm a day in 1985; so a client that
     * compares such dates would keep its copy for ever. Files that are really so old lose little:
     * they have an ETag.
     */
    private static final long DATED_SECOND_MIN = 631_152_000L;

    static FileVersion of(MemorySegment status) {
        return new FileVersion(
                FileStatus.device(status),
                FileStatus.inode(status),
                FileStatus.size(status),
                FileStatus.modifiedNanos(status),
                FileStatus.changedNanos(status));
    }

    /** Whether a change after {@code epochNanos} would be seen as one. */
    boolean isSettled(long epochNanos) {
        return epochNanos - Math.max(modifiedNanos, changedNanos) > SETTLED_NANOS;
    }

    /** Whether the time of the last change is one, and not the same whatever the bytes are. */
    boolean isDated() {
        return modifiedSecond() >= DATED_SECOND_MIN;
    }

    /** The second of the last change of the bytes. */
    long modifiedSecond() {
        return Math.floorDiv(modifiedNanos, 1_000_000_000L);
    }
}
