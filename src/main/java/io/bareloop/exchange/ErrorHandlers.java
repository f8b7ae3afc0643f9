package io.bareloop.exchange;

import io.bareloop.http.ErrorHandler;
import io.bareloop.http.ExceptionHandler;
import java.util.Map;

/**
 * What an application has in the place of the server's answers to errors. Immutable, for any loop.
 *
 * @param byStatus by the code of the status
 * @param byException by the class that was thrown, or one of those above it
 */
public record ErrorHandlers(
        Map<Integer, ErrorHandler> byStatus,
        Map<Class<? extends Throwable>, ExceptionHandler<?>> byException) {
    public static final ErrorHandlers NONE = new ErrorHandlers(Map.of(), Map.of());

    public ErrorHandlers {
        byStatus = Map.copyOf(byStatus);
        byException = Map.copyOf(byException);
    }

    /** Of the status with that code; null where there is none. */
    ErrorHandler find(int code) {
        return byStatus.isEmpty() ? null : byStatus.get(code);
    }

    /** Of the nearest class that {@code failure} is of; null where there is none. */
    ExceptionHandler<?> find(Throwable failure) {
        Class<?> type = byException.isEmpty() ? null : failure.getClass();
        while (type != null) {
            ExceptionHandler<?> handler = byException.get(type);
            if (handler != null) {
                return handler;
            }
            type = type.getSuperclass();
        }
        return null;
    }
}
