package io.bareloop.http1;

import io.bareloop.exchange.Application;
import io.bareloop.exchange.Exchange;
import io.bareloop.exchange.Exchanges;
import io.bareloop.http.Compression;
import io.bareloop.http.Limits;
import io.bareloop.http.Timeouts;
import io.bareloop.wire.CompressibleHead;
import io.bareloop.wire.CompressionChoice;
import io.bareloop.wire.Compressor;
import io.bareloop.wire.Encoded;
import io.bareloop.wire.MediaRanges;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Slab;
import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.BiFunction;

/**
 * HTTP/1.1 for one loop: what its connections share, because only one of them is served at a time.
 */
public final class Http1 implements Protocol.Factory {
    /** Native memory of an instance, in bytes: what it sent, and what it parsed last. */
    public static final long NATIVE_BYTES =
            (long) LastSent.BYTES_MAX + DateField.NATIVE_BYTES + 2 * LastBytes.BYTES_MAX;

    /** Bytes of the fields that an application may add to all responses. */
    public static final int FIELDS_BYTES_MAX = DateField.MORE_BYTES_MAX;

    /** For how long a drain waits for the first request of a new connection. */
    static final long FIRST_REQUEST_NANOS = 1_000_000_000L;

    final RequestParser parser;
    final Exchanges exchanges;
    final Limits limits;
    final OutputBuffer out;
    final DateField date;
    final LastSent lastSent;

    /** Null where nothing is compressed. */
    final Compressor compressor;

    final long headNanos;
    final long bodyNanos;
    final long idleNanos;

    /**
     * Creates the protocol of one loop.
     *
     * @param arena where its memory comes from
     * @param out the loop's output buffer, at least 32 KiB
     * @param slab memory for requests that are not answered at once
     * @param limits of what clients may ask for
     * @param timeouts of what clients may keep the server waiting for
     * @param application what answers the requests, and hears of them
     */
    public Http1(
            Arena arena,
            OutputBuffer out,
            Slab slab,
            Limits limits,
            Timeouts timeouts,
            Application application) {
        this(arena, out, slab, limits, timeouts, application, Http1Writer::new);
    }

    /** As above, with writers of another format: for tests of the seam that {@code Writer} is. */
    Http1(
            Arena arena,
            OutputBuffer out,
            Slab slab,
            Limits limits,
            Timeouts timeouts,
            Application application,
            BiFunction<Http1, Exchange, Http1Writer> writers) {
        this.limits = limits;
        this.out = out;
        headNanos = timeouts.head().toNanos();
        bodyNanos = timeouts.body().toNanos();
        idleNanos = timeouts.idle().toNanos();
        parser = new RequestParser(limits);
        date = new DateField(arena, application.fields().toString());
        lastSent = new LastSent(arena);
        compressor = compressor(arena, application);
        exchanges =
                new Exchanges(limits, slab, application, exchange -> writers.apply(this, exchange));
    }

    private static Compressor compressor(Arena arena, Application application) {
        Compression compression = application.compression();
        if (compression == null || forbids(application.fields().toString())) {
            return null;
        }
        CompressionChoice choice =
                new CompressionChoice(
                        compression.level(),
                        compression.bodyBytesMin(),
                        compression.bodyBytesMax(),
                        compression.streamsMax(),
                        new MediaRanges(compression.types()));
        return new Compressor(arena, compression, choice);
    }

    /** Whether what all responses have says that none is to be compressed. */
    private static boolean forbids(String fields) {
        Encoded lines = Encoded.ascii(fields + " ".repeat(Long.BYTES));
        CompressibleHead found = new CompressibleHead(new MediaRanges(List.of()));
        try {
            long start = lines.segment().address();
            found.read(start, start + fields.length());
        } finally {
            Reference.reachabilityFence(lines);
        }
        return found.isFixed();
    }

    @Override
    public Protocol newProtocol() {
        return new Http1Connection(this);
    }

    @Override
    public void turn(long nowNanos) {
        date.update(nowNanos);
    }

    @Override
    public void turnEnded() {
        exchanges.turnEnded();
    }

    @Override
    public void ended() {
        exchanges.ended();
        if (compressor != null) {
            compressor.close();
        }
    }
}
