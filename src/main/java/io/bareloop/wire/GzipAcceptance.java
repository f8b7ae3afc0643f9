package io.bareloop.wire;

/**
 * Whether a client prefers gzip to what that is made of, by the fields of its request. Used for one
 * request after another; belongs to the loop's thread.
 */
final class GzipAcceptance {
    private static final String FIELD = "accept-encoding";

    private static final int GZIP = 0;
    private static final int ALL = 3;

    private final AcceptEncoding accept = new AcceptEncoding("gzip", "identity");

    /** Whether the client of {@code head} says so; one that says nothing does not. */
    boolean isSaid(Head head) {
        boolean said = false;
        for (int i = 0; i < head.fieldCount(); i++) {
            long name = head.address() + head.fieldOffset(i, 0);
            long nameEnd = head.address() + head.fieldOffset(i, 1);
            if (Ascii.equalsIgnoreCase(name, nameEnd, FIELD)) {
                if (!said) {
                    accept.clear();
                    said = true;
                }
                read(
                        head.address() + head.fieldOffset(i, 2),
                        head.address() + head.fieldOffset(i, 3));
            }
        }
        return said && accept.best(ALL) == GZIP;
    }

    private void read(long from, long to) {
        for (long at = from; at < to; at++) {
            accept.add(Memory.getByte(at));
        }
        accept.endOfField();
    }
}
