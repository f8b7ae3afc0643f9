package io.bareloop.http;

import io.bareloop.wire.Head;
import io.bareloop.wire.Memory;
import io.bareloop.wire.Swar;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Chooses a handler by method and path. Matching allocates nothing.
 *
 * <p>A path is matched segment by segment, as it was sent: percent-escapes are not decoded, and
 * {@code /a}, {@code /a/} and {@code /A} are three paths. In a route, {@code {name}} matches one
 * segment that is not empty, and {@code {name...}}, at the end only, matches all that is left,
 * which may be empty and may have slashes. A fixed segment is preferred to a parameter, and a
 * parameter to a tail. {@link Request#parameter} gives what was matched.
 *
 * <p>A path without a route is answered 404; one without a handler for the method 405, with Allow;
 * browsers are shown a page: see {@link ErrorPage}. HEAD is answered by the handler of GET, without
 * the body; OPTIONS with 204 and Allow, unless they have handlers of their own. Immutable; for any
 * loop, if its handlers are.
 */
public final class Router implements Handler {
    private static final long SLASHES = '/' * Swar.ONES;
    private static final ErrorPage NOT_FOUND = ErrorPage.of(Status.NOT_FOUND);

    private final Node root;
    private final Handler notFound;
    private final Handler anyOptions;

    private Router(Node root, Handler notFound, Handler anyOptions) {
        this.root = root;
        this.notFound = notFound;
        this.anyOptions = anyOptions;
    }

    /** {@return a builder without routes} */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        route(request).handle(request, response);
    }

    @Override
    public Handler route(Request request) {
        Handler known = (Handler) request.head().routed(this);
        return (known != null ? known : find(request)).route(request);
    }

    private Handler find(Request request) {
        long from = request.pathStartAddress();
        long to = request.pathEndAddress();
        if (from == to) {
            // "http://host", an absolute target without a path: the root.
            return root(request);
        }
        if (Memory.getByte(from) == '*') {
            return anyOptions;
        }
        Node node = match(root, from, from, to, request, 0);
        return node == null ? notFound : lead(request, node);
    }

    private Handler root(Request request) {
        for (Node child : root.fixed) {
            if (child.words.length == 0 && child.handlers != null) {
                return lead(request, child);
            }
        }
        if (root.tail != null) {
            request.head().parameter(0, 0, 0);
            return lead(request, root.tail);
        }
        return notFound;
    }

    private Handler lead(Request request, Node node) {
        Handler handler = node.handler(request.method());
        request.head().routed(this, handler, node.parameterNames);
        return handler;
    }

    /**
     * Matches what follows the slash at {@code at}.
     *
     * @return the node of the route, or null
     */
    private static Node match(Node node, long path, long at, long to, Request request, int depth) {
        if (at == to) {
            return node.handlers != null ? node : null;
        }
        long start = at + 1;
        long end = Swar.indexOf(SLASHES, start, to);
        for (Node child : node.fixed) {
            if (child.hasName(start, end - start)) {
                Node found = match(child, path, end, to, request, depth);
                if (found != null) {
                    return found;
                }
                break;
            }
        }
        if (node.parameter != null && end > start) {
            Node found = match(node.parameter, path, end, to, request, depth + 1);
            if (found != null) {
                request.head().parameter(depth, (int) (start - path), (int) (end - start));
                return found;
            }
        }
        if (node.tail != null) {
            request.head().parameter(depth, (int) (start - path), (int) (to - start));
            return node.tail;
        }
        return null;
    }

    /** A segment of one or more routes. */
    private static final class Node {
        private final byte[] name;

        /** The name, eight bytes in each, the last filled up with zeros. */
        private final long[] words;

        /** Of the last word, what belongs to the name. */
        private final long lastMask;

        private final List<Node> children = new ArrayList<>();
        private Node[] fixed = {};
        private Node parameter;
        private Node tail;
        private String[] parameterNames;
        private final Map<Method, Handler> byMethod = new EnumMap<>(Method.class);

        /** One for each method, in their order; null where no route ends here. */
        private Handler[] handlers;

        Node(byte[] name) {
            this.name = name;
            words = new long[(name.length + Long.BYTES - 1) / Long.BYTES];
            for (int i = 0; i < name.length; i++) {
                words[i / Long.BYTES] |= (name[i] & 0xFFL) << (i % Long.BYTES * 8);
            }
            lastMask = -1L >>> (-name.length * Byte.SIZE);
        }

        @SuppressWarnings("EnumOrdinal") // an EnumMap does the same, with a check of the class
        Handler handler(Method method) {
            return handlers[method.ordinal()];
        }

        /** Whether the segment of {@code length} bytes from {@code from} on is the name. */
        boolean hasName(long from, long length) {
            if (length != name.length) {
                return false;
            }
            for (int i = 0; i < words.length; i++) {
                // A path does not end its request line: there are bytes behind to read, and to
                // hide.
                long mask = i == words.length - 1 ? lastMask : -1;
                if ((Memory.getLong(from + (long) i * Long.BYTES) & mask) != words[i]) {
                    return false;
                }
            }
            return true;
        }

        Node child(byte[] segment) {
            for (Node child : children) {
                if (Arrays.equals(child.name, segment)) {
                    return child;
                }
            }
            Node child = new Node(segment);
            children.add(child);
            return child;
        }

        void freeze() {
            fixed = children.toArray(new Node[0]);
            children.forEach(Node::freeze);
            if (parameter != null) {
                parameter.freeze();
            }
            if (tail != null) {
                tail.freeze();
            }
            if (!byMethod.isEmpty()) {
                handlers = allHandlers();
            }
        }

        private Handler[] allHandlers() {
            Handler get = byMethod.get(Method.GET);
            if (get != null) {
                byMethod.putIfAbsent(Method.HEAD, get);
            }
            Set<Method> allowed = EnumSet.copyOf(byMethod.keySet());
            allowed.add(Method.OPTIONS);
            StringBuilder allow = new StringBuilder();
            for (Method method : allowed) {
                allow.append(allow.isEmpty() ? "" : ", ").append(method);
            }
            ErrorPage notAllowed = ErrorPage.notAllowed(allow.toString());
            byMethod.putIfAbsent(
                    Method.OPTIONS,
                    Prepared.of(
                            Status.NO_CONTENT,
                            MediaType.TEXT,
                            "",
                            HeaderName.ALLOW,
                            allow.toString()));
            return Stream.of(Method.values())
                    .map(method -> byMethod.getOrDefault(method, notAllowed))
                    .toArray(Handler[]::new);
        }
    }

    /** Collects routes. */
    public static final class Builder {
        private final Node root = new Node(new byte[0]);
        private Handler notFound = NOT_FOUND;

        private Builder() {}

        /**
         * Routes GET, and HEAD where it has no route of its own.
         *
         * @param path the route, as {@link Router} describes it
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException as {@link #route} does
         */
        public Builder get(String path, Handler handler) {
            return route(Method.GET, path, handler);
        }

        /**
         * Routes POST.
         *
         * @param path the route, as {@link Router} describes it
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException as {@link #route} does
         */
        public Builder post(String path, Handler handler) {
            return route(Method.POST, path, handler);
        }

        /**
         * Routes PUT.
         *
         * @param path the route, as {@link Router} describes it
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException as {@link #route} does
         */
        public Builder put(String path, Handler handler) {
            return route(Method.PUT, path, handler);
        }

        /**
         * Routes PATCH.
         *
         * @param path the route, as {@link Router} describes it
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException as {@link #route} does
         */
        public Builder patch(String path, Handler handler) {
            return route(Method.PATCH, path, handler);
        }

        /**
         * Routes DELETE.
         *
         * @param path the route, as {@link Router} describes it
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException as {@link #route} does
         */
        public Builder delete(String path, Handler handler) {
            return route(Method.DELETE, path, handler);
        }

        /**
         * Routes {@code method} and {@code path}.
         *
         * @param method of the requests
         * @param path the route, as {@link Router} describes it; it begins with a slash, and has 16
         *     parameters at the most
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException where the path is malformed, or has a handler for this
         *     method already, or names the parameters of another route otherwise
         */
        public Builder route(Method method, String path, Handler handler) {
            Objects.requireNonNull(handler, "handler");
            if (!path.startsWith("/")) {
                throw new IllegalArgumentException("a path starts with a slash: " + path);
            }
            List<String> names = new ArrayList<>();
            Node node = root;
            String[] segments = path.substring(1).split("/", -1);
            for (int i = 0; i < segments.length; i++) {
                node = descend(node, segments[i], i == segments.length - 1, names, path);
            }
            String[] parameterNames = names.toArray(new String[0]);
            if (parameterNames.length > Head.PARAMETERS_MAX) {
                throw new IllegalArgumentException(
                        "more than " + Head.PARAMETERS_MAX + " parameters: " + path);
            }
            if (node.parameterNames != null
                    && !Arrays.equals(node.parameterNames, parameterNames)) {
                throw new IllegalArgumentException(
                        "another method names the parameters otherwise: " + path);
            }
            node.parameterNames = parameterNames;
            if (node.byMethod.putIfAbsent(method, handler) != null) {
                throw new IllegalArgumentException(method + " " + path + " has a route already");
            }
            return this;
        }

        /**
         * What answers a path without a route; without this call a short 404.
         *
         * @param handler of requests that no route matches
         * @return this builder
         */
        public Builder notFound(Handler handler) {
            notFound = handler;
            return this;
        }

        /**
         * Builds the router; the builder must not be used any more.
         *
         * @return the router
         */
        public Router build() {
            root.freeze();
            Prepared anyOptions =
                    Prepared.of(
                            Status.NO_CONTENT,
                            MediaType.TEXT,
                            "",
                            HeaderName.ALLOW,
                            "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
            return new Router(root, notFound, anyOptions);
        }

        private static Node descend(
                Node node, String segment, boolean last, List<String> names, String path) {
            boolean braces = segment.startsWith("{") && segment.endsWith("}");
            if (!braces) {
                if (segment.indexOf('{') >= 0 || segment.indexOf('}') >= 0) {
                    throw new IllegalArgumentException(
                            "a parameter takes a whole segment: " + path);
                }
                return node.child(segment.getBytes(StandardCharsets.UTF_8));
            }
            boolean tail = segment.endsWith("...}");
            String name = segment.substring(1, segment.length() - (tail ? 4 : 1));
            if (name.indexOf('{') >= 0 || name.indexOf('}') >= 0) {
                throw new IllegalArgumentException("a parameter takes a whole segment: " + path);
            }
            if (name.isEmpty() || names.contains(name)) {
                throw new IllegalArgumentException("a parameter needs a name of its own: " + path);
            }
            names.add(name);
            if (!tail) {
                if (node.parameter == null) {
                    node.parameter = new Node(new byte[0]);
                }
                return node.parameter;
            }
            if (!last) {
                throw new IllegalArgumentException("a tail comes last: " + path);
            }
            if (node.tail == null) {
                node.tail = new Node(new byte[0]);
            }
            return node.tail;
        }
    }
}
