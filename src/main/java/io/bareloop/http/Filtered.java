package io.bareloop.http;

import java.util.List;
import java.util.Objects;

/**
 * A handler with filters in front of it. Whoever routes a request runs them, by {@link #next}; and
 * goes on with the handler itself, so that this stands between nobody.
 */
public final class Filtered implements Handler {
    private final Filter[] filters;
    private final Handler handler;

    /**
     * Puts {@code filters} in front of {@code handler}.
     *
     * @param filters in the order in which they run
     * @param handler of any kind
     */
    public Filtered(List<Filter> filters, Handler handler) {
        this.filters = filters.toArray(Filter[]::new);
        this.handler = Objects.requireNonNull(handler, "handler");
        for (Filter filter : filters) {
            Objects.requireNonNull(filter, "filter");
        }
    }

    /**
     * Runs the filters.
     *
     * @param request of which the head is there
     * @param response of which nothing has been written
     * @return the handler to go on with, which may have filters itself; null where the request has
     *     been answered, or suspended
     * @throws Exception of a filter
     */
    public Handler next(Request request, Response response) throws Exception {
        for (Filter filter : filters) {
            filter.filter(request, response);
            if (response.hasBegun() || response.isSuspended()) {
                return null;
            }
        }
        return handler.route(request);
    }

    /** Where a handler of the application's hands a request on to this. */
    @Override
    public void handle(Request request, Response response) throws Exception {
        Handler next = next(request, response);
        if (next != null) {
            next.handle(request, response);
        }
    }
}
