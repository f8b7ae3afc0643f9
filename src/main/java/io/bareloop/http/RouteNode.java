package io.bareloop.http;

import io.bareloop.wire.Memory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A segment of one or more routes: what may follow it, and what answers where one ends here. */
final class RouteNode {
    /** A handler with the names of its route's parameters. */
    static final class Route {
        private final Handler handler;
        private final String[] parameterNames;

        /** Whose filters are in front of it. */
        private final RouteScope scope;

        Route(Handler handler, String[] parameterNames, RouteScope scope) {
            this.handler = handler;
            this.parameterNames = parameterNames;
            this.scope = scope;
        }

        Handler handler() {
            return handler;
        }

        String[] parameterNames() {
            return parameterNames;
        }

        /** Another one for the same path. */
        Route with(Handler other) {
            return new Route(other, parameterNames, scope);
        }

        /** With all filters in front. */
        Route filtered() {
            return with(scope.filtered(handler));
        }
    }

    private final byte[] name;

    /** The name, eight bytes in each, the last filled up with zeros. */
    private final long[] words;

    /** Of the last word, what belongs to the name. */
    private final long lastMask;

    private final List<RouteNode> children = new ArrayList<>();
    private final Map<Method, Route> byMethod = new EnumMap<>(Method.class);

    /** For all methods that have none of their own. */
    private Route any;

    /** Whose filters see what no route below matches; null where it is none of this node. */
    private RouteScope scope;

    // ---- what a match reads

    RouteNode[] fixed = {};

    /** What matches any one segment; null where there is none. */
    RouteNode parameter;

    /** What matches all that is left; null where there is none. */
    RouteNode tail;

    /** What answers below here where no route matches; null where another node's does. */
    Handler notFound;

    /** One for each method, in their order; null where no route ends here. */
    private Route[] routes;

    RouteNode(byte[] name) {
        this.name = name;
        words = new long[(name.length + Long.BYTES - 1) / Long.BYTES];
        for (int i = 0; i < name.length; i++) {
            words[i / Long.BYTES] |= (name[i] & 0xFFL) << (i % Long.BYTES * 8);
        }
        lastMask = -1L >>> (-name.length * Byte.SIZE);
    }

    boolean endsRoute() {
        return routes != null;
    }

    boolean isEmptySegment() {
        return name.length == 0;
    }

    @SuppressWarnings("EnumOrdinal") // an EnumMap does the same, with a check of the class
    Route route(Method method) {
        return routes[method.ordinal()];
    }

    /** Whether the segment of {@code length} bytes from {@code from} on is the name. */
    boolean hasName(long from, long length) {
        if (length != name.length) {
            return false;
        }
        for (int i = 0; i < words.length; i++) {
            // A path does not end its request line: there are bytes behind to read, and to hide.
            long mask = i == words.length - 1 ? lastMask : -1;
            if ((Memory.getLong(from + (long) i * Long.BYTES) & mask) != words[i]) {
                return false;
            }
        }
        return true;
    }

    // ---- what a builder writes

    RouteNode child(byte[] segment) {
        for (RouteNode child : children) {
            if (Arrays.equals(child.name, segment)) {
                return child;
            }
        }
        RouteNode child = new RouteNode(segment);
        children.add(child);
        return child;
    }

    RouteNode parameterChild() {
        if (parameter == null) {
            parameter = new RouteNode(new byte[0]);
        }
        return parameter;
    }

    RouteNode tailChild() {
        if (tail == null) {
            tail = new RouteNode(new byte[0]);
        }
        return tail;
    }

    /** Adds a route for {@code method}, or with null for all others; false where there is one. */
    boolean add(Method method, Route route) {
        if (method != null) {
            return byMethod.putIfAbsent(method, route) == null;
        }
        boolean first = any == null;
        any = first ? route : any;
        return first;
    }

    /**
     * What no route below matches is seen by the filters of {@code first}, the first of several.
     */
    void scope(RouteScope first) {
        scope = scope != null ? scope : first;
    }

    /** No more routes come: {@code defaultNotFound} answers what none matches. */
    void freeze(Handler defaultNotFound) {
        if (scope != null) {
            notFound = scope.filtered(defaultNotFound);
        }
        fixed = children.toArray(new RouteNode[0]);
        children.forEach(child -> child.freeze(defaultNotFound));
        if (parameter != null) {
            parameter.freeze(defaultNotFound);
        }
        if (tail != null) {
            tail.freeze(defaultNotFound);
        }
        if (any != null || !byMethod.isEmpty()) {
            routes = allRoutes();
        }
    }

    private Route[] allRoutes() {
        Route get = byMethod.get(Method.GET);
        if (get != null) {
            byMethod.putIfAbsent(Method.HEAD, get);
        }
        Route otherwise = any != null ? any : notAllowed();
        Method[] methods = Method.values();
        Route[] all = new Route[methods.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = byMethod.getOrDefault(methods[i], otherwise).filtered();
        }
        return all;
    }

    /** What answers methods that have no route; adds OPTIONS. */
    private Route notAllowed() {
        Set<Method> allowed = EnumSet.copyOf(byMethod.keySet());
        allowed.add(Method.OPTIONS);
        StringBuilder allow = new StringBuilder();
        for (Method method : allowed) {
            allow.append(allow.isEmpty() ? "" : ", ").append(method);
        }
        Route first = byMethod.values().iterator().next();
        Handler options =
                Prepared.of(
                        Status.NO_CONTENT, MediaType.TEXT, "", HeaderName.ALLOW, allow.toString());
        byMethod.putIfAbsent(Method.OPTIONS, first.with(options));
        return first.with(ErrorPage.notAllowed(allow.toString()));
    }
}
