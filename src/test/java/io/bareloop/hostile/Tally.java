package io.bareloop.hostile;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ObjLongConsumer;

/** Counts by name, from many threads. */
final class Tally {
    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();

    void add(String name) {
        add(name, 1);
    }

    void add(String name, long count) {
        counts.computeIfAbsent(name, key -> new LongAdder()).add(count);
    }

    long sum() {
        return counts.values().stream().mapToLong(LongAdder::sum).sum();
    }

    long count(String name) {
        LongAdder count = counts.get(name);
        return count == null ? 0 : count.sum();
    }

    /** Each name with its count, in their order. */
    void forEach(ObjLongConsumer<String> action) {
        new TreeMap<>(counts).forEach((name, count) -> action.accept(name, count.sum()));
    }

    /** As {@code "name 1, other 2"}, by name. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        forEach(
                (name, count) ->
                        text.append(text.isEmpty() ? "" : ", ")
                                .append(name)
                                .append(' ')
                                .append(count));
        return text.isEmpty() ? "none" : text.toString();
    }
}
