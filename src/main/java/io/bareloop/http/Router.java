package io.bareloop.http;

import io.bareloop.wire.Memory;
import io.bareloop.wire.Swar;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Chooses a handler by method and path. Matching allocates nothing.
 *
 * <p>A path is matched segment by segment, as it was sent: percent-escapes are not decoded, and
 * {@code /a}, {@code /a/} and {@code /A} are three paths. In a route, {@code {name}} matches one
 * segment that is not empty, and {@code {name...}}, at the end only, matches all that is left,
 * which may be empty and may have slashes. A fixed segment is preferred to a parameter, and a
 * parameter to a tail. {@link Request#parameter Request.parameter} gives what was matched.
 *
 * <p>A path without a route is answered 404; one without a handler for the method 405, with Allow;
 * browsers are shown a page: see {@link ErrorPage}. HEAD is answered by the handler of GET, without
 * the body; OPTIONS with 204 and Allow, unless they have handlers of their own. {@link Filter}s see
 * all of these first. Immutable; for any loop, if its handlers are.
 */
public final class Router implements Handler {
    private static final long SLASHES = '/' * Swar.ONES;
    private static final ErrorPage NOT_FOUND = ErrorPage.of(Status.NOT_FOUND);

    private final RouteNode root;
    private final Handler anyOptions;

    private Router(RouteNode root, Handler anyOptions) {
        this.root = root;
        this.anyOptions = anyOptions;
    }

    /** {@return a builder without routes} */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        Handler chosen = route(request);
        while (chosen instanceof Filtered filtered) {
            chosen = filtered.next(request, response);
        }
        if (chosen != null) {
            chosen.handle(request, response);
        }
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
        RouteNode node = match(root, from, from, to, request, 0);
        return node == null ? notFound(from, to) : lead(request, node);
    }

    private Handler root(Request request) {
        for (RouteNode child : root.fixed) {
            if (child.isEmptySegment() && child.endsRoute()) {
                return lead(request, child);
            }
        }
        if (root.tail != null) {
            request.head().parameter(0, 0, 0);
            return lead(request, root.tail);
        }
        return root.notFound;
    }

    private Handler lead(Request request, RouteNode node) {
        RouteNode.Route route = node.route(request.method());
        request.head().routed(this, route.handler(), route.parameterNames());
        return route.handler();
    }

    /**
     * Matches what follows the slash at {@code at}.
     *
     * @return the node of the route, or null
     */
    private static RouteNode match(
            RouteNode node, long path, long at, long to, Request request, int depth) {
        if (at == to) {
            return node.endsRoute() ? node : null;
        }
        long start = at + 1;
        long end = Swar.indexOf(SLASHES, start, to);
        for (RouteNode child : node.fixed) {
            if (child.hasName(start, end - start)) {
                RouteNode found = match(child, path, end, to, request, depth);
                if (found != null) {
                    return found;
                }
                break;
            }
        }
        if (node.parameter != null && end > start) {
            RouteNode found = match(node.parameter, path, end, to, request, depth + 1);
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

    /** What answers a path that no route matches: of the innermost group that it leads into. */
    private Handler notFound(long from, long to) {
        Handler innermost = root.notFound;
        RouteNode node = root;
        long at = from;
        while (at < to && node != null) {
            long start = at + 1;
            at = Swar.indexOf(SLASHES, start, to);
            RouteNode next = null;
            for (RouteNode child : node.fixed) {
                next = child.hasName(start, at - start) ? child : next;
            }
            node = next != null ? next : node.parameter;
            if (node != null && node.notFound != null) {
                innermost = node.notFound;
            }
        }
        return innermost;
    }

    /** Collects routes: of a router, or of a group in one. */
    public static final class Builder {
        /** Of which this is a group; null for a router's own. */
        private final Builder outer;

        private final RouteNode root;
        private final List<String> outerNames;
        private final RouteScope scope;
        private Handler notFound = NOT_FOUND;

        private Builder() {
            outer = null;
            root = new RouteNode(new byte[0]);
            outerNames = List.of();
            scope = new RouteScope(null);
            root.scope(scope);
        }

        private Builder(Builder outer, RouteNode root, List<String> names) {
            this.outer = outer;
            this.root = root;
            outerNames = names;
            scope = new RouteScope(outer.scope);
        }

        /**
         * Has {@code filter} see all requests that come to the routes of this router, or group, and
         * of the groups in it: also those that are answered 404, 405, or OPTIONS by the router.
         * Filters run in the order of these calls, those of a router before those of its groups; it
         * does not matter whether routes are added before or after.
         *
         * @param filter for any loop
         * @return this builder
         */
        public Builder filter(Filter filter) {
            scope.add(Objects.requireNonNull(filter, "filter"));
            return this;
        }

        /**
         * Adds routes that have the beginning of their paths in common, and filters of their own.
         *
         * <pre>{@code
         * Router.builder()
         *         .get("/", home)
         *         .group("/api", api -> api
         *                 .filter(auth)
         *                 .get("/users/{id}", show)          // GET /api/users/7
         *                 .group("/admin", admin -> admin.filter(admins).get("/log", log)))
         *         .build();
         * }</pre>
         *
         * @param path such as {@code /api} or {@code /users/{id}}; without a slash at its end.
         *     Empty: the routes have only their filters in common
         * @param routes adds them, to a builder that is this router's
         * @return this builder
         * @throws IllegalArgumentException as {@link #route} does
         */
        public Builder group(String path, Consumer<Builder> routes) {
            RouteNode node = root;
            List<String> names = outerNames;
            if (!path.isEmpty()) {
                RoutePath prefix = new RoutePath(path, outerNames);
                if (path.endsWith("/") || path.endsWith("...}")) {
                    throw prefix.wrong("a group's path ends with a segment");
                }
                node = prefix.descend(root);
                names = prefix.names();
            }
            Builder group = new Builder(this, node, names);
            if (!path.isEmpty()) {
                node.scope(group.scope);
            }
            routes.accept(group);
            return this;
        }

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
         * Routes all methods that have no route of their own at that path, OPTIONS among them.
         *
         * @param path the route, as {@link Router} describes it
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException as {@link #route} does
         */
        public Builder any(String path, Handler handler) {
            return add(null, path, handler);
        }

        /**
         * Routes {@code method} and {@code path}.
         *
         * @param method of the requests
         * @param path the route, as {@link Router} describes it; it begins with a slash, and has 16
         *     parameters at the most. Routes of several methods may name them differently
         * @param handler of such requests
         * @return this builder
         * @throws IllegalArgumentException where the path is malformed, or has a handler for this
         *     method already
         */
        public Builder route(Method method, String path, Handler handler) {
            return add(Objects.requireNonNull(method, "method"), path, handler);
        }

        private Builder add(Method method, String path, Handler handler) {
            Objects.requireNonNull(handler, "handler");
            RoutePath route = new RoutePath(path, outerNames);
            // Of a group that has a path itself: "" is that path.
            RouteNode node = path.isEmpty() && outer != null ? root : route.descend(root);
            String[] names = route.names().toArray(new String[0]);
            if (!node.add(method, new RouteNode.Route(handler, names, scope))) {
                throw new IllegalArgumentException(
                        (method == null ? "any" : method) + " " + path + " has a route already");
            }
            return this;
        }

        /**
         * What answers a path without a route, behind the filters of the innermost group that it
         * leads into; without this call a 404 ({@link ErrorPage}). For a router, not for a group.
         *
         * @param handler of requests that no route matches
         * @return this builder
         * @throws IllegalStateException where this is a group
         */
        public Builder notFound(Handler handler) {
            checkOutermost("notFound");
            notFound = Objects.requireNonNull(handler, "handler");
            return this;
        }

        /**
         * Builds the router; the builder must not be used any more.
         *
         * @return the router
         * @throws IllegalStateException where this is a group
         */
        public Router build() {
            checkOutermost("build");
            root.freeze(notFound);
            Prepared anyOptions =
                    Prepared.of(
                            Status.NO_CONTENT,
                            MediaType.TEXT,
                            "",
                            HeaderName.ALLOW,
                            "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
            return new Router(root, scope.filtered(anyOptions));
        }

        private void checkOutermost(String call) {
            if (outer != null) {
                throw new IllegalStateException(call + "() is for the router, not for a group");
            }
        }
    }
}
