package io.bareloop.http;

import java.util.ArrayList;
import java.util.List;

/** The filters of a part of a router: its own, behind those of the part that it is in. */
final class RouteScope {
    private final RouteScope outer;
    private final List<Filter> filters = new ArrayList<>();

    RouteScope(RouteScope outer) {
        this.outer = outer;
    }

    void add(Filter filter) {
        filters.add(filter);
    }

    /** {@code handler} with all filters in front of it, once these are all known. */
    Handler filtered(Handler handler) {
        List<Filter> all = new ArrayList<>();
        collect(all);
        return all.isEmpty() ? handler : new Filtered(all, handler);
    }

    private void collect(List<Filter> all) {
        if (outer != null) {
            outer.collect(all);
        }
        all.addAll(filters);
    }
}
