package io.bareloop.wire;

import java.lang.foreign.MemorySegment;

/**
 * Memory for what is pending on a loop: incomplete requests and unsent responses. Belongs to one
 * thread.
 *
 * <p>One region, of which slices are taken in powers of two and given back as soon as they are done
 * with, so that memory in use grows with work in flight and not with open connections. A buddy
 * system: a slice that comes back joins the free one beside it, and both can become a slice of any
 * other length. The lowest free address is taken first, so that what has never been needed is never
 * touched; {@link #trim} gives back what is not needed any more.
 *
 * <p>Taking never throws: where there is no memory for a connection, that is the matter of this
 * connection alone.
 */
public final class Slab {
    /** The smallest slice, of a region of up to 2 GiB; of a larger one it is larger too. */
    public static final int SLICE_BYTES_MIN = 1 << Slab.SHIFT_MIN;

    private static final int SHIFT_MIN = 9;

    /** No slice is longer than 1 GiB. */
    private static final int SHIFT_MAX = 30;

    /** So many of the smallest slices are there at most: the maps have two bits for each. */
    private static final int SLICES_SHIFT_MAX = 22;

    /** Memory is given back to the system in pieces of this size. */
    private static final int UNIT_SHIFT = 16;

    /** Less than this is not worth giving back. */
    private static final long LOOSE_BYTES_MIN = 1 << 20;

    /** Slices of one length that are remembered, lest each be an object each time. */
    private static final int REMEMBERED_MAX = 1024;

    private final MemorySegment memory;
    private final Discard discard;

    /** The length of the smallest slice, as a power of two: order 0. */
    private final int shift;

    /** For each order which blocks are free. */
    private final FreeBlocks[] free;

    private final Slice[][] remembered;

    /** Which units have been part of a slice since they were last given back. */
    private final long[] touched;

    private final int unitShift;
    private int unitsTouched;
    private long bytesInUse;
    private int slicesInUse;

    /** How memory goes back to the system: it reads as zeros afterwards, or as before. */
    public interface Discard {
        /**
         * Gives back {@code bytes} of the region from {@code offset} on.
         *
         * @param offset of the first byte in the region
         * @param bytes their number, 1 or more
         */
        void discard(long offset, long bytes);
    }

    /**
     * Creates a slab of {@code memory}.
     *
     * @param memory native memory, at least {@link #SLICE_BYTES_MIN} bytes; what it holds does not
     *     matter. What is too little for a slice at its end is not used
     * @param discard is told what is not needed any more
     */
    public Slab(MemorySegment memory, Discard discard) {
        this.memory = memory;
        this.discard = discard;
        long bytes = memory.byteSize();
        int regionShift = Long.SIZE - 1 - Long.numberOfLeadingZeros(bytes);
        shift = Math.max(SHIFT_MIN, regionShift + 1 - SLICES_SHIFT_MAX);
        unitShift = Math.max(shift, UNIT_SHIFT);
        touched = new long[(int) ((bytes >>> unitShift) / Long.SIZE + 1)];
        int orders = Math.max(0, Math.min(regionShift, SHIFT_MAX) - shift + 1);
        free = new FreeBlocks[orders];
        remembered = new Slice[orders][];
        for (int order = 0; order < orders; order++) {
            free[order] = new FreeBlocks((int) (bytes >>> (shift + order)));
        }
        long block = 0;
        for (long left = bytes >>> shift; left > 0; ) {
            // The largest one that begins at a multiple of its length, and ends within.
            int order = Math.min(orders - 1, Long.SIZE - 1 - Long.numberOfLeadingZeros(left));
            free[order].add((int) (block >>> order));
            block += 1L << order;
            left -= 1L << order;
        }
    }

    /**
     * Takes a slice of at least {@code bytes}.
     *
     * @param bytes 1 to 1 GiB
     * @return the slice, with bytes of earlier ones in it; or null where there is no memory, which
     *     only the caller's connection should have to suffer for
     */
    public Slice take(int bytes) {
        int order = order(bytes);
        int from = order;
        while (from < free.length && free[from].isEmpty()) {
            from++;
        }
        if (from >= free.length) {
            return null;
        }
        int block = free[from].first();
        Slice slice = slice(order, block << (from - order));
        if (slice == null) {
            return null;
        }
        free[from].remove(block);
        while (from > order) {
            // The lower half is used or halved again, the upper one is free.
            from--;
            block <<= 1;
            free[from].add(block + 1);
        }
        slice.taken = true;
        slicesInUse++;
        bytesInUse += slice.length();
        touch(slice);
        return slice;
    }

    /**
     * Gives {@code slice} back; the caller must not touch it again.
     *
     * @param slice that was taken here, and not given back yet
     */
    public void give(Slice slice) {
        if (!slice.taken) {
            // It may be another connection's by now.
            throw new AssertionError("a slice was given back twice");
        }
        slice.taken = false;
        slicesInUse--;
        bytesInUse -= slice.length();
        int order = slice.order;
        int block = slice.block;
        while (order < free.length - 1 && free[order].contains(block ^ 1)) {
            free[order].remove(block ^ 1);
            block >>>= 1;
            order++;
        }
        free[order].add(block);
    }

    /** {@return the number of slices taken and not yet given back} */
    public int slicesInUse() {
        return slicesInUse;
    }

    /** {@return the number of bytes in slices that are taken} */
    public long bytesInUse() {
        return bytesInUse;
    }

    /** {@return the number of bytes that may be resident: touched, and not given back since} */
    public long bytesTouched() {
        return (long) unitsTouched << unitShift;
    }

    /**
     * {@return whether most of what has been touched is free, and {@link #trim} would be worth its
     * while}
     */
    public boolean isLoose() {
        return bytesTouched() - 2 * bytesInUse >= LOOSE_BYTES_MIN;
    }

    /** Gives back to the system what is free, as far as it has been touched. */
    public void trim() {
        for (int order = unitShift - shift; order < free.length; order++) {
            int units = 1 << (order + shift - unitShift);
            for (int block = free[order].next(0); block >= 0; block = free[order].next(block + 1)) {
                trim(block * units, (block + 1) * units);
            }
        }
    }

    /** Gives back the units in [from, to) that have been touched. */
    private void trim(int from, int to) {
        int unit = from;
        while (unit < to) {
            int start = unit;
            while (unit < to && isTouched(unit)) {
                touched[unit >>> 6] &= ~(1L << unit);
                unit++;
            }
            if (unit > start) {
                unitsTouched -= unit - start;
                discard.discard((long) start << unitShift, (long) (unit - start) << unitShift);
            }
            unit++;
        }
    }

    /** Where in the region {@code slice} is. */
    long offset(Slice slice) {
        return (long) slice.block << (slice.order + shift);
    }

    private void touch(Slice slice) {
        long start = offset(slice);
        int last = (int) ((start + slice.length() - 1) >>> unitShift);
        for (int unit = (int) (start >>> unitShift); unit <= last; unit++) {
            if (!isTouched(unit)) {
                touched[unit >>> 6] |= 1L << unit;
                unitsTouched++;
            }
        }
    }

    private boolean isTouched(int unit) {
        return (touched[unit >>> 6] & 1L << unit) != 0;
    }

    private int order(int bytes) {
        int wanted = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(bytes, 1) - 1);
        return Math.max(wanted - shift, 0);
    }

    /** The slice that is {@code block} of {@code order}; null where there is no heap for it. */
    private Slice slice(int order, int block) {
        try {
            if (remembered[order] == null) {
                remembered[order] = new Slice[Math.min(free[order].size(), REMEMBERED_MAX)];
            }
            Slice[] known = remembered[order];
            int place = block % known.length;
            Slice slice = known[place];
            // One that is taken stays with its owner; another may stand in its place here.
            if (slice == null || slice.block != block) {
                long bytes = 1L << (order + shift);
                slice = new Slice(memory.asSlice(block * bytes, bytes), order, block);
                known[place] = slice;
            }
            return slice;
        } catch (OutOfMemoryError noHeap) {
            return null;
        }
    }

    /** A piece of memory that one owner has at a time. */
    public static final class Slice {
        private final MemorySegment segment;
        private final int order;
        private final int block;
        private boolean taken;

        private Slice(MemorySegment segment, int order, int block) {
            this.segment = segment;
            this.order = order;
            this.block = block;
        }

        /** {@return the memory; {@link #length} bytes} */
        public MemorySegment segment() {
            return segment;
        }

        /** {@return the number of bytes: a power of two} */
        public int length() {
            return (int) segment.byteSize();
        }
    }
}
