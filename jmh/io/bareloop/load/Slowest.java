package io.bareloop.load;

/** The longest of many stretches of time, with when they began and a remark: one asks why. */
final class Slowest {
    private final long[] begin;
    private final long[] length;
    private final long[] note;
    private int least;

    Slowest(int kept) {
        begin = new long[kept];
        length = new long[kept];
        note = new long[kept];
    }

    /** Keeps it where it is longer than the shortest kept. */
    void record(long from, long nanos, long remark) {
        if (nanos > length[least]) {
            begin[least] = from;
            note[least] = remark;
            length[least] = nanos;
            for (int i = 0; i < length.length; i++) {
                if (length[i] < length[least]) {
                    least = i;
                }
            }
        }
    }

    void clear() {
        java.util.Arrays.fill(length, 0);
    }

    /** As {@code [[begin, nanoseconds, remark], ...]}, in no order. */
    String toJson() {
        StringBuilder out = new StringBuilder("[");
        for (int i = 0; i < length.length; i++) {
            if (length[i] > 0) {
                out.append(out.length() > 1 ? ", [" : "[");
                out.append(begin[i]).append(", ").append(length[i]);
                out.append(", ").append(note[i]).append(']');
            }
        }
        return out.append(']').toString();
    }
}
