package io.bareloop.server;

import io.bareloop.http.Completion;
import io.bareloop.http.CompletionListener;
import io.bareloop.http.HeaderName;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.ArrayList;
import java.util.List;

/** Several listeners, of which each hears of the end of requests, whatever the others do. */
final class CompletionListeners implements CompletionListener {
    private final CompletionListener[] all;

    private CompletionListeners(List<CompletionListener> all) {
        this.all = all.toArray(CompletionListener[]::new);
    }

    /**
     * All of {@code listeners} as one, and {@code log} where there is one; null where there is
     * nothing. For one loop.
     */
    static CompletionListener of(List<CompletionListener> listeners, AccessLog log) {
        List<CompletionListener> all = new ArrayList<>(listeners);
        if (log != null) {
            all.add(log.lines());
        }
        if (all.isEmpty()) {
            return null;
        }
        return all.size() == 1 ? all.get(0) : new CompletionListeners(all);
    }

    @Override
    public void completed(Completion completion) {
        Throwable failed = null;
        for (CompletionListener listener : all) {
            try {
                listener.completed(completion);
            } catch (Throwable failure) {
                failed = failure;
            }
        }
        if (failed instanceof Error error) {
            throw error;
        } else if (failed instanceof RuntimeException exception) {
            throw exception;
        } else if (failed != null) {
            throw new UndeclaredThrowableException(failed);
        }
    }

    @Override
    public List<HeaderName> fields() {
        return List.of(all).stream()
                .flatMap(listener -> listener.fields().stream())
                .distinct()
                .toList();
    }
}
