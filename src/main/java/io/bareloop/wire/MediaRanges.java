package io.bareloop.wire;

import java.util.ArrayList;
import java.util.List;

/**
 * Media types to look for: {@code application/json} by name, {@code text/*} by what they begin
 * with, {@code *+json} by what they end with. Immutable, for any thread.
 */
public final class MediaRanges {
    private final String[] names;
    private final String[] beginnings;
    private final String[] endings;

    /** Of {@code ranges} in lower case. */
    public MediaRanges(List<String> ranges) {
        List<String> exact = new ArrayList<>();
        List<String> first = new ArrayList<>();
        List<String> last = new ArrayList<>();
        for (String range : ranges) {
            if (range.startsWith("*")) {
                last.add(range.substring(1));
            } else if (range.endsWith("*")) {
                first.add(range.substring(0, range.length() - 1));
            } else {
                exact.add(range);
            }
        }
        names = exact.toArray(String[]::new);
        beginnings = first.toArray(String[]::new);
        endings = last.toArray(String[]::new);
    }

    /** Whether the type whose name is in [from, to), without parameters, is one of these. */
    boolean contain(long from, long to) {
        for (String beginning : beginnings) {
            long end = from + beginning.length();
            if (end <= to && Ascii.equalsIgnoreCase(from, end, beginning)) {
                return true;
            }
        }
        for (String name : names) {
            if (Ascii.equalsIgnoreCase(from, to, name)) {
                return true;
            }
        }
        for (String ending : endings) {
            long start = to - ending.length();
            if (start >= from && Ascii.equalsIgnoreCase(start, to, ending)) {
                return true;
            }
        }
        return false;
    }
}
