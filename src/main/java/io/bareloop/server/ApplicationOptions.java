package io.bareloop.server;

import io.bareloop.exchange.Application;
import io.bareloop.exchange.ErrorHandlers;
import io.bareloop.http.CompletionListener;
import io.bareloop.http.Compression;
import io.bareloop.http.ErrorHandler;
import io.bareloop.http.ExceptionHandler;
import io.bareloop.http.FailureListener;
import io.bareloop.http.Fields;
import io.bareloop.http.Filter;
import io.bareloop.http.Filtered;
import io.bareloop.http.Handler;
import io.bareloop.http.Status;
import io.bareloop.http1.Http1;
import io.bareloop.wire.Compressor;
import io.bareloop.wire.Networks;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * What a server does around its handler: filters, fields of all responses, errors. Apart from the
 * rest of {@link HttpServer.Builder} for want of room in one file; users see one class.
 */
abstract sealed class ApplicationOptions extends MachineOptions permits HttpServer.Builder {
    private final List<Filter> filters = new ArrayList<>();
    private final Map<Integer, ErrorHandler> errors = new HashMap<>();
    private final Map<Class<? extends Throwable>, ExceptionHandler<?>> exceptions = new HashMap<>();
    private Fields fields = Fields.NONE;
    private FailureListener failures;
    private Networks proxies = Networks.NONE;
    private final List<CompletionListener> completions = new ArrayList<>();
    private Compression compression;
    AccessLog accessLog;

    ApplicationOptions() {}

    /**
     * Has {@code filter} see all requests before the handler does. Filters run in the order of
     * these calls, and before those of a router.
     *
     * @param filter for all loops at the same time
     * @return this builder
     */
    public HttpServer.Builder filter(Filter filter) {
        filters.add(Objects.requireNonNull(filter, "filter"));
        return builder();
    }

    /**
     * Adds fields to all responses, those among them that the server gives by itself: 400, 404,
     * 405, 408, 413, 431, 500, 503. They are encoded once, beside Date, and cost nothing. For
     * Strict-Transport-Security, Access-Control-Allow-Origin and the like; they take the place of
     * no field that a handler writes.
     *
     * @param more behind those of earlier calls; 4096 bytes at the most, together
     * @return this builder
     * @throws IllegalArgumentException where they are longer
     */
    public HttpServer.Builder fields(Fields more) {
        Fields both = fields.with(more);
        if (both.toString().length() > Http1.FIELDS_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "the fields of all responses have "
                            + both.toString().length()
                            + " bytes; "
                            + Http1.FIELDS_BYTES_MAX
                            + " are the most");
        }
        fields = both;
        return builder();
    }

    /**
     * Has {@code handler} answer with {@code status}, wherever that comes from: an {@code
     * HttpException}, an exception of a handler (500), a path without a route (404), a request that
     * is none (400, 408, 431). Without it there are pages of the server's own, as Accept says.
     *
     * @param status of the answer, from 400 up
     * @param handler in the place of one that was set for the same status before
     * @return this builder
     * @throws IllegalArgumentException where the status is less than 400
     */
    public HttpServer.Builder error(Status status, ErrorHandler handler) {
        if (status.code() < 400) {
            throw new IllegalArgumentException(status + " is no error; they go from 400 to 599");
        }
        errors.put(status.code(), Objects.requireNonNull(handler, "handler"));
        return builder();
    }

    /**
     * Has {@code handler} answer requests whose handler has thrown a {@code type}, or what extends
     * it; of several the nearest. It is then no failure, and nobody is told of it but this.
     *
     * @param <T> the type
     * @param type other than HttpException, which is an answer by itself
     * @param handler in the place of one that was set for the same type before
     * @return this builder
     */
    public <T extends Throwable> HttpServer.Builder exception(
            Class<T> type, ExceptionHandler<? super T> handler) {
        exceptions.put(
                Objects.requireNonNull(type, "type"), Objects.requireNonNull(handler, "handler"));
        return builder();
    }

    /**
     * Has {@code listener} hear of what user code throws and nothing else answers. Without this
     * call the log has method, target and stack trace, ten times a second at the most: as an ERROR
     * of System.Logger {@code io.bareloop}, or as lines of {@link HttpServer.Builder#log}.
     *
     * @param listener called on the loops
     * @return this builder
     */
    public HttpServer.Builder onFailure(FailureListener listener) {
        failures = Objects.requireNonNull(listener, "listener");
        return builder();
    }

    /**
     * Has {@code listener} hear of each request when it has come to its end: answered, refused or
     * cut off. Several hear of it in the order of these calls.
     *
     * @param listener called on the loops
     * @return this builder
     */
    public HttpServer.Builder onCompletion(CompletionListener listener) {
        completions.add(Objects.requireNonNull(listener, "listener"));
        return builder();
    }

    /**
     * Has a line of each request written when it has come to its end, as {@link #onCompletion}
     * hears of it.
     *
     * @param log of this server alone; a later call takes its place
     * @return this builder
     */
    public HttpServer.Builder accessLog(AccessLog log) {
        accessLog = Objects.requireNonNull(log, "log");
        return builder();
    }

    /**
     * The proxies whose word is taken for who the client is and how it has asked: {@link
     * io.bareloop.http.Request#client}. Without this call nobody's. They have to write {@code
     * Forwarded} or {@code X-Forwarded-For} themselves, and to remove what a client has sent of the
     * one that they do not write.
     *
     * @param networks IP addresses, or networks such as {@code "10.0.0.0/8"} and {@code "fd00::/8"}
     * @return this builder
     * @throws IllegalArgumentException where one is none, names among them
     */
    public HttpServer.Builder trustedProxies(String... networks) {
        proxies = Networks.of(networks);
        return builder();
    }

    /**
     * Has responses of handlers compressed, for clients that like it. Without this call none is.
     * Whole bodies are from 1 KiB to 64 KiB on, unless {@link Compression.Builder#bodyBytesMax}
     * says otherwise: the loop's other connections wait meanwhile. Files of {@code StaticFiles} are
     * not, but have a compressed form beside them where there is one.
     *
     * @param which of them, and how
     * @return this builder
     */
    public HttpServer.Builder compression(Compression which) {
        compression = Objects.requireNonNull(which, "which");
        return builder();
    }

    /**
     * What a handler becomes with all of this, as it is now; {@code otherwise} hears of failures.
     */
    Function<Handler, Application> applications(FailureListener otherwise) {
        List<Filter> all = List.copyOf(filters);
        Fields same = fields;
        Compression chosen = compression;
        ErrorHandlers handlers = new ErrorHandlers(errors, exceptions);
        Networks trusted = proxies;
        List<CompletionListener> listeners = List.copyOf(completions);
        AccessLog access = accessLog;
        FailureListener listener = failures != null ? failures : otherwise;
        return handler ->
                new Application(
                        all.isEmpty() ? handler : new Filtered(all, handler),
                        same,
                        handlers,
                        chosen,
                        listener,
                        trusted,
                        CompletionListeners.of(listeners, access));
    }

    /**
     * Takes fields and compression, and with {@code all} filters and errors, of another builder.
     */
    void like(ApplicationOptions other, boolean all) {
        fields = other.fields;
        proxies = other.proxies;
        compression = other.compression;
        if (all) {
            filters.addAll(other.filters);
            errors.putAll(other.errors);
            exceptions.putAll(other.exceptions);
        }
    }

    int fieldBytes() {
        return fields.toString().length();
    }

    /** Native memory that each loop takes to compress. */
    long compressionBytes() {
        return compression == null
                ? 0
                : Compressor.nativeBytes(compression.bodyBytesMax(), compression.streamsMax());
    }
}
