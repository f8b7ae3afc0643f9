package io.bareloop.files;

import io.bareloop.http.ByteView;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What one path leads to: a file in its codings, in the versions that were found. Immutable but for
 * what is kept on its use; for any loop.
 */
final class Entry {
    /** The decoded path, its characters being bytes; it starts with a slash. */
    final String path;

    /** A version for each {@link Coding}, in their order. */
    private final List<FileVersion> versions;

    /** A variant for each, or null. */
    private final Variant[] variants;

    /** A bit for each that is there. */
    final int available;

    /** Whether a change since would have changed a version. */
    final boolean settled;

    final int hash;
    private final byte[] bytes;

    /** Written by loops, taken back by each sweep: whether somebody has asked for it since. */
    volatile boolean used = true;

    /** Nobody has asked for it lately, so nobody looked after it: it has to be checked first. */
    volatile boolean asleep;

    /** The sweep's own. */
    int idleSweeps;

    /** System.nanoTime when its files were looked at last, and were these versions. */
    volatile long checkedNanos = System.nanoTime();

    Entry(String path, List<FileVersion> versions, Variant[] variants, boolean settled) {
        this.path = path;
        this.versions = List.copyOf(versions);
        this.variants = variants.clone();
        this.settled = settled;
        bytes = path.getBytes(StandardCharsets.ISO_8859_1);
        hash = hash(bytes, bytes.length);
        int bits = 0;
        for (int i = 0; i < variants.length; i++) {
            bits |= variants[i] != null ? 1 << i : 0;
        }
        available = bits;
    }

    Variant variant(int coding) {
        return variants[coding];
    }

    boolean isOf(List<FileVersion> others) {
        return versions.equals(others);
    }

    static int hash(byte[] path, int length) {
        int hash = 0;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + path[i];
        }
        return hash;
    }

    boolean isAt(byte[] other, int length) {
        if (length != bytes.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (other[i] != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@code other} from {@code from} on is the path. */
    boolean isAt(ByteView other, int from) {
        byte[] own = bytes;
        if (other.length() - from != own.length) {
            return false;
        }
        for (int i = 0; i < own.length; i++) {
            if (other.at(from + i) != own[i]) {
                return false;
            }
        }
        return true;
    }

    long memoryBytes() {
        long sum = 512 + 2L * bytes.length;
        for (Variant variant : variants) {
            sum += variant == null ? 0 : variant.memoryBytes();
        }
        return sum;
    }

    int openFiles() {
        int count = 0;
        for (Variant variant : variants) {
            count += variant != null && variant.file != null ? 1 : 0;
        }
        return count;
    }

    /** Begins a use of all open files; false, and none, where one has been closed. */
    boolean retainAll() {
        for (int i = 0; i < variants.length; i++) {
            if (variants[i] != null && variants[i].file != null && !variants[i].file.retain()) {
                release(i);
                return false;
            }
        }
        return true;
    }

    /** Has the beginnings of all open files, which the caller has a use of, in the cache. */
    void warm(Reader reader) {
        for (Variant variant : variants) {
            if (variant != null && variant.file != null) {
                Disk.warmBeginning(reader, variant.file, variant.size);
            }
        }
    }

    /** Ends a use of all open files: the cache's, or one that {@link #retainAll} began. */
    void release() {
        release(variants.length);
    }

    private void release(int end) {
        for (int i = 0; i < end; i++) {
            if (variants[i] != null && variants[i].file != null) {
                variants[i].file.release();
            }
        }
    }
}
