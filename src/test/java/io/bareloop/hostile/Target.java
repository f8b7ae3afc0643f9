package io.bareloop.hostile;

import java.util.HashMap;
import java.util.Map;

/**
 * A request target as both sides understand it: {@code /kind/marker?name=value&...}.
 *
 * @param kind null where the path is none of ours
 */
record Target(HandlerKind kind, String marker, Map<String, String> parameters) {
    static final String MARKER_FIELD = "X-Marker";

    static Target of(String text) {
        int mark = text.indexOf('?');
        String path = mark < 0 ? text : text.substring(0, mark);
        int slash = path.indexOf('/', 1);
        if (slash < 0) {
            return new Target(null, "", Map.of());
        }
        Map<String, String> parameters = new HashMap<>();
        for (int at = mark + 1; mark >= 0 && at <= text.length(); ) {
            int end = text.indexOf('&', at);
            end = end < 0 ? text.length() : end;
            int equals = text.indexOf('=', at);
            if (equals > 0 && equals < end) {
                parameters.put(text.substring(at, equals), text.substring(equals + 1, end));
            }
            at = end + 1;
        }
        return new Target(
                HandlerKind.of(path.substring(1, slash)), path.substring(slash + 1), parameters);
    }

    long key() {
        return MarkedBytes.key(marker);
    }

    /** A parameter, 0 where it is missing. */
    int number(String name) {
        String value = parameters.get(name);
        return value == null ? 0 : Integer.parseInt(value);
    }

    /** A parameter, null where it is missing. */
    String text(String name) {
        return parameters.get(name);
    }
}
