package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http1.ChunkedBodies.Chunked;
import io.bareloop.http1.DecodedBody.End;
import io.bareloop.rig.Bytes;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The decoder against {@link ReferenceBodyDecoder}, over mutations of the tables' bodies, each of
 * them in random pieces.
 *
 * <p>{@code -Dbareloop.fuzz.seed} and {@code -Dbareloop.fuzz.rounds} make it another run.
 */
class BodyDecoderFuzzTest {
    private static final long SEED = Long.getLong("bareloop.fuzz.seed", 9112);
    private static final int ROUNDS = Integer.getInteger("bareloop.fuzz.rounds", 600_000);
    private static final int CHUNKS = 16;
    private static final int BYTES_MAX = 400;

    private static final String INTERESTING =
            "\r\n\0 \t:;=\"\\,+-xX09afAFgG\u007f\u0080\u00ff\u00010\r\n";

    private static final String[] TOKENS = {
        "\r\n",
        "\r\n\r\n",
        "0\r\n\r\n",
        "0\r\n",
        "1\r\nx\r\n",
        "00000000",
        "ffffffff",
        ";a",
        ";a=b",
        ";a=\"b\"",
        "=\"",
        "\\\"",
        " ;",
        "; ",
        "A: b\r\n",
        "a:",
        "\n",
        "\r",
        " "
    };

    /**
     * Two thirds of them valid: most mutations make a valid body malformed, and few the reverse.
     */
    private static final String[] BODIES =
            Stream.of(
                            ChunkedBodies.valid(),
                            ChunkedBodies.valid(),
                            ChunkedBodies.valid(),
                            ChunkedBodies.malformed())
                    .flatMap(List::stream)
                    .map(Chunked::input)
                    .filter(text -> text.length() < BYTES_MAX / 2)
                    .toArray(String[]::new);

    /** Those that are about the bounds, which short ones never meet. */
    private static final String[] LONG_BODIES =
            Stream.of(ChunkedBodies.valid(), ChunkedBodies.malformed())
                    .flatMap(List::stream)
                    .map(Chunked::input)
                    .filter(text -> text.length() > 4000)
                    .toArray(String[]::new);

    @Test
    void agreesWithTheReference() {
        Map<End, AtomicLong> seen = new ConcurrentHashMap<>();
        List<String> disagreements =
                IntStream.range(0, CHUNKS)
                        .parallel()
                        .mapToObj(chunk -> fuzz(chunk, seen))
                        .filter(Objects::nonNull)
                        .toList();
        assertThat(disagreements).isEmpty();

        Map<End, Long> counts = new EnumMap<>(End.class);
        seen.forEach((end, count) -> counts.put(end, count.get()));
        // Mutations that nearly all end in the same way would compare nothing.
        assertThat(counts).hasSize(End.values().length);
        assertThat(counts.values()).as("%s", counts).allMatch(count -> count >= ROUNDS / 20);
    }

    /** The first disagreement, or null. */
    private static String fuzz(int chunk, Map<End, AtomicLong> seen) {
        BodyDecoder decoder = new BodyDecoder();
        for (int round = chunk; round < ROUNDS; round += CHUNKS) {
            // A seed of its own, so that one round can be run again.
            SplittableRandom random = new SplittableRandom(SEED * 1_000_003 + round);
            String text = mutate(random, round % 256 == 0);
            int[] ends = ends(random, text.length());
            decoder.startChunked();
            DecodedBody actual = DecodedBody.decode(decoder, text, ends);
            DecodedBody expected = ReferenceBodyDecoder.decode(text);
            if (!actual.equals(expected)) {
                return String.format(
                        "seed %d, round %d%n\"%s\"%ndecoder:   %s%nreference: %s",
                        SEED, round, Bytes.escape(text), actual, expected);
            }
            seen.computeIfAbsent(actual.end(), end -> new AtomicLong()).incrementAndGet();
        }
        return null;
    }

    private static int[] ends(SplittableRandom random, int length) {
        int pieces = random.nextInt(5);
        return IntStream.concat(random.ints(pieces, 0, length + 1), IntStream.of(length))
                .sorted()
                .toArray();
    }

    private static String mutate(SplittableRandom random, boolean longOnes) {
        String[] bodies = longOnes ? LONG_BODIES : BODIES;
        StringBuilder text = new StringBuilder(bodies[random.nextInt(bodies.length)]);
        int lengthMax = longOnes ? Integer.MAX_VALUE : BYTES_MAX;
        int mutations = random.nextInt(4);
        for (int i = 0; i < mutations; i++) {
            mutateOnce(text, random);
        }
        if (text.length() > lengthMax) {
            text.setLength(lengthMax);
        }
        return text.toString();
    }

    private static void mutateOnce(StringBuilder text, SplittableRandom random) {
        int at = random.nextInt(text.length() + 1);
        int end = Math.min(text.length(), at + 1 + random.nextInt(4));
        char interesting = INTERESTING.charAt(random.nextInt(INTERESTING.length()));
        String other = BODIES[random.nextInt(BODIES.length)];
        switch (random.nextInt(10)) {
            // A bit flipped.
            case 0 -> {
                if (at < text.length()) {
                    text.setCharAt(at, (char) (text.charAt(at) ^ 1 << random.nextInt(8)));
                }
            }
            // Any byte.
            case 1 -> text.insert(at, (char) random.nextInt(256));
            // An interesting byte, in addition.
            case 2 -> text.insert(at, interesting);
            // An interesting byte instead.
            case 3 -> text.replace(at, Math.min(at + 1, text.length()), "" + interesting);
            // Some bytes lost.
            case 4 -> text.delete(at, end);
            // Some bytes twice.
            case 5 -> text.insert(at, text.substring(at, end));
            // The rest lost.
            case 6 -> text.setLength(at);
            // Another body behind.
            case 7 -> text.append(other);
            // Another body in between.
            case 8 -> text.insert(at, other);
            // A token where any stands.
            default -> text.insert(at, TOKENS[random.nextInt(TOKENS.length)]);
        }
        if (random.nextInt(64) == 0) {
            text.insert(
                    Math.min(at, text.length()),
                    String.valueOf(interesting).repeat(random.nextInt(40)));
        }
    }
}
