package io.bareloop.http;

import io.bareloop.wire.Head;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The parameters of a route in the path of a request. One without percent-escapes is a view of the
 * path; others are decoded into memory of the request's own, which grows to the longest path that
 * had any, and is used again. Belongs to a request.
 */
final class PathParameters {
    private static final int BYTES_AT_START = 256;

    private final Head head;
    private final ByteView[] decodedViews = new ByteView[Head.PARAMETERS_MAX];
    private final ByteView[] rawViews = new ByteView[Head.PARAMETERS_MAX];

    /** As long as the path: each parameter has the place that it has there. */
    private MemorySegment decoded = MemorySegment.NULL;

    PathParameters(Head head) {
        this.head = head;
    }

    ByteView raw(String name, MemorySegment in) {
        int index = index(name);
        int start = head.parameterStart(index);
        return RequestHead.existing(rawViews, index)
                .set(in, head.base() + start, head.parameterEnd(index) - start);
    }

    ByteView decoded(String name, MemorySegment in) {
        int index = index(name);
        int from = head.base() + head.parameterStart(index);
        int to = head.base() + head.parameterEnd(index);
        ByteView view = RequestHead.existing(decodedViews, index);
        if (!PercentEncoding.isEncoded(in, from, to)) {
            return view.set(in, from, to - from);
        }
        ensureDecoded(head.pathEnd() - head.pathStart());
        int at = head.parameterStart(index) - head.pathStart();
        return view.set(decoded, at, PercentEncoding.decode(in, from, to, decoded, at));
    }

    /** Ends the views: in checked mode, every further use throws. */
    void expire() {
        RequestHead.expire(decodedViews);
        RequestHead.expire(rawViews);
    }

    private void ensureDecoded(int bytes) {
        if (decoded.byteSize() < bytes) {
            long room = Math.max(bytes, Math.max(BYTES_AT_START, 2 * decoded.byteSize()));
            decoded = Arena.ofAuto().allocate(room);
        }
    }

    private int index(String name) {
        String[] known = head.parameterNames();
        if (known != null) {
            for (int i = 0; i < known.length; i++) {
                if (known[i].equals(name)) {
                    return i;
                }
            }
        }
        throw unknown(name, known);
    }

    private static IllegalArgumentException unknown(String name, String[] known) {
        return new IllegalArgumentException(
                "no parameter \""
                        + name
                        + "\" in this route; "
                        + (known == null || known.length == 0
                                ? "it has none"
                                : "it has: " + String.join(", ", known)));
    }
}
