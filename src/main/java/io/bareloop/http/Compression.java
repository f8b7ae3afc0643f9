package io.bareloop.http;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Which responses of handlers are compressed, by gzip (RFC 1952), for clients whose Accept-Encoding
 * prefers that: see {@code HttpServer.Builder.compression}. Without that call none is.
 *
 * <pre>{@code
 * HttpServer.builder().compression(Compression.defaults())...
 * }</pre>
 *
 * <p>Compressed are bodies whose Content-Type is one of {@link #types}: whole ones ({@link
 * Response#body(byte[])}, {@link Response#send(Prepared)}, {@link Reply}) of {@link #bodyBytesMin}
 * to {@link #bodyBytesMax} bytes, where that makes them smaller, and streams without an announced
 * length ({@link Response#stream()}, {@link EventStream}), of which no more than {@link
 * #streamsMax} at a time on one loop. All others are sent as they are: files, {@link
 * Response#stream(long)}, and responses that have one of these:
 *
 * <ul>
 *   <li>Content-Encoding: it is compressed already;
 *   <li>Cache-Control with no-transform, or Content-Range;
 *   <li>a strong ETag: it names these very bytes (RFC 9110, section 8.8.3). A weak one, {@code
 *       W/"7"}, stands for both forms, and the response is compressed;
 *   <li>Content-Digest, Repr-Digest, Digest, Content-MD5;
 *   <li>{@link Response#noCompression Response.noCompression}, of the handler or of a filter.
 * </ul>
 *
 * <p>A response that might be compressed has {@code Vary: Accept-Encoding}, whether it is or not;
 * beside a Vary of the handler's that is another line, which means the same as one list. A HEAD has
 * the fields that a GET would have. A 304 has no Content-Type as a rule, so that the handler has to
 * add Vary itself.
 *
 * <p>What is written of a stream leaves when the handler returns, or its action does: an event is
 * never kept back. More than 256 KiB in one such turn make {@link Response#isWritable} false until
 * {@link Response#onWritable} is called, soon: others have their turns first.
 *
 * <p>Compressing takes the loop's own time, in which its other connections wait. Measured with JSON
 * on JDK 25 at level 2: 1 KiB takes 7 us, 16 KiB 40 us, 64 KiB 185 us. Each stream holds a deflater
 * until it ends: 272 KiB outside the heap, which {@code HttpServer.nativeMemory} counts. A {@link
 * Prepared} is compressed when it is first sent, and both forms are kept.
 *
 * <p>A body that has a secret in it, and something that an attacker chooses, gives the secret away
 * by its compressed length, TLS or not (the BREACH attack): a page with a CSRF token that repeats
 * the query, for one. Such a response wants {@link Response#noCompression Response.noCompression},
 * or a token that is masked anew each time.
 *
 * <p>Immutable, for any thread.
 */
public final class Compression {
    private static final Compression DEFAULTS = new Builder().build();

    private final int level;
    private final int bodyBytesMin;
    private final int bodyBytesMax;
    private final int streamsMax;
    private final List<String> types;

    private Compression(Builder builder) {
        level = builder.level;
        bodyBytesMin = builder.bodyBytesMin;
        bodyBytesMax = builder.bodyBytesMax;
        streamsMax = builder.streamsMax;
        types = builder.types;
    }

    /**
     * Level 2, bodies of 1 KiB to 64 KiB, 32 streams on a loop; text, JSON, JavaScript and XML, SVG
     * among it.
     *
     * @return the defaults, as above
     */
    public static Compression defaults() {
        return DEFAULTS;
    }

    /**
     * Begins with {@link #defaults()}.
     *
     * @return a builder, to be used by one thread
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Begins with this, which stays as it is.
     *
     * @return a builder, to be used by one thread
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.level = level;
        builder.bodyBytesMin = bodyBytesMin;
        builder.bodyBytesMax = bodyBytesMax;
        builder.streamsMax = streamsMax;
        builder.types = types;
        return builder;
    }

    /** {@return how hard the deflater tries, 1 to 9} */
    public int level() {
        return level;
    }

    /** {@return bytes of the smallest whole body that is compressed} */
    public int bodyBytesMin() {
        return bodyBytesMin;
    }

    /** {@return bytes of the largest whole body that is compressed} */
    public int bodyBytesMax() {
        return bodyBytesMax;
    }

    /** {@return how many streams a loop compresses at a time} */
    public int streamsMax() {
        return streamsMax;
    }

    /** {@return what of media types is compressed, in lower case: see {@link Builder#types}} */
    public List<String> types() {
        return types;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Compression that
                && level == that.level
                && bodyBytesMin == that.bodyBytesMin
                && bodyBytesMax == that.bodyBytesMax
                && streamsMax == that.streamsMax
                && types.equals(that.types);
    }

    @Override
    public int hashCode() {
        return Objects.hash(level, bodyBytesMin, bodyBytesMax, streamsMax, types);
    }

    @Override
    public String toString() {
        return "level %d, bodies of %d to %d bytes, %d streams, types %s"
                .formatted(level, bodyBytesMin, bodyBytesMax, streamsMax, types);
    }

    /** Puts {@link Compression} together. Mutable, for one thread. */
    public static final class Builder {
        private static final List<String> TYPES =
                List.of(
                        "text/*",
                        "application/json",
                        "*+json",
                        "application/javascript",
                        "application/xml",
                        "*+xml");

        private int level = 2;
        private int bodyBytesMin = 1 << 10;
        private int bodyBytesMax = 64 << 10;
        private int streamsMax = 32;
        private List<String> types = TYPES;

        private Builder() {}

        /**
         * Sets how hard the deflater tries. Of 64 KiB of JSON, level 1 makes 14.7 KB in 0.18 ms,
         * level 2 makes 13.4 KB in the same time, level 6 makes 10.1 KB in 1.2 ms.
         *
         * @param newLevel 1 to 9; 2 by default
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder level(int newLevel) {
            level = check("level", newLevel, 1, 9);
            return this;
        }

        /**
         * Sets from which size on a whole body is compressed. Below a kilobyte there is little to
         * be gained: head and body fit a single packet as they are.
         *
         * @param bytes 64 to 1 MiB; 1 KiB by default
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder bodyBytesMin(int bytes) {
            bodyBytesMin = check("bodyBytesMin", bytes, 64, 1 << 20);
            return this;
        }

        /**
         * Sets up to which size a whole body is compressed: it takes the loop's time, all at once.
         * Larger ones go out as they are; {@link Response#stream()} compresses any length. Each
         * loop has as much memory for what comes of it.
         *
         * @param bytes 64 to 16 MiB; 64 KiB by default
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder bodyBytesMax(int bytes) {
            bodyBytesMax = check("bodyBytesMax", bytes, 64, 16 << 20);
            return this;
        }

        /**
         * Sets how many streams a loop compresses at a time, for each has memory of 272 KiB until
         * it ends; further ones go out as they are.
         *
         * @param count 0 to 10,000; 32 by default
         * @return this builder
         * @throws IllegalArgumentException where it is out of range
         */
        public Builder streamsMax(int count) {
            streamsMax = check("streamsMax", count, 0, 10_000);
            return this;
        }

        /**
         * Sets which media types are compressed, instead of those by default: {@code text/*},
         * {@code application/json}, {@code *+json}, {@code application/javascript}, {@code
         * application/xml}, {@code *+xml}. Images, archives, audio and video have no place here,
         * being compressed already.
         *
         * @param ranges each the name of a type without parameters, or its beginning and a star, or
         *     a star and its end; letters of either case
         * @return this builder
         * @throws IllegalArgumentException where one is none of these
         */
        public Builder types(String... ranges) {
            types = List.of(ranges).stream().map(Builder::checkRange).toList();
            return this;
        }

        private static String checkRange(String range) {
            int star = range.indexOf('*');
            boolean usual =
                    range.length() > 2
                            && range.chars().allMatch(c -> c > ' ' && c < 0x7F && c != ';')
                            && (star < 0 ? range.indexOf('/') > 0 : star == range.lastIndexOf('*'))
                            && (star <= 0 || star == range.length() - 1);
            if (!usual) {
                throw new IllegalArgumentException(
                        "no range of media types: \""
                                + range
                                + "\"; these are some: text/html, text/*, *+json");
            }
            return range.toLowerCase(Locale.ROOT);
        }

        private static int check(String name, int value, int least, int most) {
            if (value < least || value > most) {
                throw new IllegalArgumentException(
                        name + " is " + value + "; it must be " + least + " to " + most);
            }
            return value;
        }

        /**
         * Builds it.
         *
         * @return what was set, and the defaults for the rest
         * @throws IllegalArgumentException where bodyBytesMin exceeds bodyBytesMax
         */
        public Compression build() {
            if (bodyBytesMin > bodyBytesMax) {
                throw new IllegalArgumentException(
                        "bodyBytesMin "
                                + bodyBytesMin
                                + " exceeds bodyBytesMax "
                                + bodyBytesMax
                                + ": set both");
            }
            return new Compression(this);
        }
    }
}
