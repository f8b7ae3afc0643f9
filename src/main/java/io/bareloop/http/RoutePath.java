package io.bareloop.http;

import io.bareloop.wire.Head;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The path of a route, segment by segment: what may be in one, and what is a mistake. */
final class RoutePath {
    /** What a segment may have beside letters, digits and escapes (RFC 3986, section 3.3). */
    private static final String MARKS = "-._~!$&'()*+,;=:@";

    private final String path;
    private final List<String> names;

    /**
     * @param outerNames of the parameters in front of it
     */
    RoutePath(String path, List<String> outerNames) {
        this.path = path;
        names = new ArrayList<>(outerNames);
    }

    /** The names of its parameters, in their order, behind those in front of it. */
    List<String> names() {
        return names;
    }

    /**
     * Walks down from {@code node}, making what is not there yet; returns the node of its end.
     *
     * @throws IllegalArgumentException where the path is none, saying what is wrong
     */
    RouteNode descend(RouteNode node) {
        if (!path.startsWith("/")) {
            throw wrong("a path starts with a slash");
        }
        RouteNode at = node;
        String[] segments = path.substring(1).split("/", -1);
        for (int i = 0; i < segments.length; i++) {
            at = descend(at, segments[i], i == segments.length - 1);
        }
        if (names.size() > Head.PARAMETERS_MAX) {
            throw wrong("more than " + Head.PARAMETERS_MAX + " parameters");
        }
        return at;
    }

    private RouteNode descend(RouteNode node, String segment, boolean last) {
        boolean braces = segment.startsWith("{") && segment.endsWith("}");
        if (!braces) {
            check(segment);
            return node.child(segment.getBytes(StandardCharsets.US_ASCII));
        }
        boolean tail = segment.endsWith("...}");
        String name = segment.substring(1, segment.length() - (tail ? 4 : 1));
        if (name.indexOf('{') >= 0 || name.indexOf('}') >= 0) {
            throw wrong("a parameter takes a whole segment");
        }
        if (name.isEmpty() || names.contains(name)) {
            throw wrong("a parameter needs a name of its own");
        }
        names.add(name);
        if (!tail) {
            return node.parameterChild();
        }
        if (!last) {
            throw wrong("a tail comes last");
        }
        return node.tailChild();
    }

    private void check(String segment) {
        if (segment.indexOf('{') >= 0 || segment.indexOf('}') >= 0) {
            throw wrong("a parameter takes a whole segment");
        }
        if (segment.startsWith(":") && segment.length() > 1) {
            throw wrong("a parameter is written {" + segment.substring(1) + "}");
        }
        if (segment.equals("*") || segment.equals("**")) {
            throw wrong("what matches any segment is written {name}, and any number {name...}");
        }
        for (int i = 0; i < segment.length(); i++) {
            char c = segment.charAt(i);
            if (c == '?' || c == '#') {
                throw wrong("a route has neither query nor fragment");
            }
            if (c == '%' ? !isEscape(segment, i) : !isPlain(c)) {
                throw wrong(
                        "a path is matched as clients send it, percent-encoded: write "
                                + encoded(segment)
                                + " for "
                                + segment);
            }
        }
    }

    private static boolean isPlain(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || MARKS.indexOf(c) >= 0;
    }

    private static boolean isEscape(String segment, int at) {
        return at + 2 < segment.length()
                && Character.digit(segment.charAt(at + 1), 16) >= 0
                && Character.digit(segment.charAt(at + 2), 16) >= 0;
    }

    private static String encoded(String segment) {
        StringBuilder text = new StringBuilder();
        for (byte b : segment.getBytes(StandardCharsets.UTF_8)) {
            if (b > 0 && isPlain((char) b)) {
                text.append((char) b);
            } else {
                text.append(String.format("%%%02X", b));
            }
        }
        return text.toString();
    }

    IllegalArgumentException wrong(String why) {
        return new IllegalArgumentException(why + ": " + path);
    }
}
