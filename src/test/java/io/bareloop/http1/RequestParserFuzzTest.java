package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Limits;
import io.bareloop.http1.RequestHeads.Head;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.GuardedSegment;
import io.bareloop.rig.ParsedRequest;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The parser against {@link ReferenceParser}, over mutations of the tables' heads, each of them
 * right before a guard page.
 *
 * <p>{@code -Dbareloop.fuzz.seed} and {@code -Dbareloop.fuzz.rounds} make it another run.
 */
class RequestParserFuzzTest {
    private static final long SEED = Long.getLong("bareloop.fuzz.seed", 9112);
    private static final int ROUNDS = Integer.getInteger("bareloop.fuzz.rounds", 1_000_000);
    private static final int CHUNKS = 16;
    private static final int BYTES_MAX = 1200;

    private static final String INTERESTING =
            "\r\n\0 \t:,;#?/*\"[]@-+0159aZ\u007f\u0080\u00a0\u00ff\u0001\u000b\u000c\\";

    private static final String[] TOKENS = {
        "GET",
        "POST",
        "OPTIONS",
        "BREW",
        "CONNECT",
        "/",
        "*",
        "/a?b",
        "http://h",
        "http://h:80/p?q",
        "HTTP/1.1",
        "HTTP/1.0",
        "HTTP/1.2",
        "HTTP/2.0",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Expect",
        "chunked",
        "gzip",
        "close",
        "keep-alive",
        "100-continue",
        "a",
        "[::1]",
        "[1:2::1.2.3.4]",
        "[v1.a]",
        "1.2.3.4",
        "::",
        "%41",
        "%",
        ":80",
        "5",
        "0",
        ", ",
        ": ",
        "\r\n",
        "\r\n\r\n",
        "\r\n ",
        "  "
    };

    private static final List<String> LINES =
            List.of(
                    "Host: a",
                    "Host:",
                    "Host: [2001:db8::1.2.3.4]:80",
                    "Host: a%41b",
                    "Content-Length: 5",
                    "Transfer-Encoding: chunked",
                    "Transfer-Encoding: gzip, chunked",
                    "Connection: close",
                    "Connection: keep-alive, x",
                    "Expect: 100-continue",
                    "X-Y: z");

    private static final Limits[] LIMITS = {
        Limits.defaults(),
        RequestHeads.TIGHT,
        Limits.builder().targetBytesMax(300).headBytesMax(256).fieldsMax(3).build()
    };

    private static final String[] HEADS =
            RequestHeads.all().stream()
                    .map(Head::text)
                    .filter(text -> text.length() < BYTES_MAX / 2)
                    .toArray(String[]::new);

    /** The same by what becomes of them: the valid ones, then those refused with each status. */
    private static final List<List<String>> HEADS_BY_STATUS =
            RequestHeads.all().stream()
                    .filter(head -> head.text().length() < BYTES_MAX / 2)
                    .collect(
                            Collectors.groupingBy(
                                    head -> Math.max(-head.expected().result, 0),
                                    TreeMap::new,
                                    Collectors.mapping(Head::text, Collectors.toList())))
                    .values()
                    .stream()
                    .toList();

    @Test
    void agreesWithTheReference() {
        Map<Integer, AtomicLong> seen = new ConcurrentHashMap<>();
        List<String> disagreements =
                IntStream.range(0, CHUNKS)
                        .parallel()
                        .mapToObj(chunk -> fuzz(chunk, seen))
                        .filter(Objects::nonNull)
                        .toList();
        assertThat(disagreements).isEmpty();

        Map<Integer, Long> counts = new TreeMap<>();
        seen.forEach((result, count) -> counts.put(result, count.get()));
        // Mutations that nearly all end in the same place would compare nothing.
        assertThat(counts.keySet()).containsExactly(-505, -501, -431, -417, -414, -400, 0, 1);
        assertThat(counts.values()).as("%s", counts).allMatch(count -> count >= ROUNDS / 1000);
        assertThat(counts.get(1)).as("%s", counts).isGreaterThan(ROUNDS / 5);
    }

    /** The first disagreement, or null. */
    private static String fuzz(int chunk, Map<Integer, AtomicLong> seen) {
        RequestParser[] parsers = new RequestParser[LIMITS.length];
        ParsedRequest[] requests = new ParsedRequest[LIMITS.length];
        ReferenceParser[] references = new ReferenceParser[LIMITS.length];
        for (int i = 0; i < LIMITS.length; i++) {
            parsers[i] = new RequestParser(LIMITS[i]);
            requests[i] = new ParsedRequest(LIMITS[i]);
            references[i] = new ReferenceParser(LIMITS[i]);
        }
        try (GuardedSegment guarded = new GuardedSegment()) {
            for (int round = chunk; round < ROUNDS; round += CHUNKS) {
                // A seed of its own, so that one round can be run again.
                SplittableRandom random = new SplittableRandom(SEED * 1_000_003 + round);
                int which = Math.max(0, random.nextInt(LIMITS.length + 3) - 3);
                String text = mutate(random);
                byte[] bytes = Bytes.of(text);

                int from = guarded.put(bytes, bytes.length);
                HeadOutcome actual =
                        HeadOutcome.parse(
                                parsers[which],
                                guarded.segment(),
                                from,
                                guarded.end(),
                                requests[which]);
                HeadOutcome expected = references[which].parse(bytes);
                if (!actual.equals(expected)) {
                    return String.format(
                            "seed %d, round %d, %s%n\"%s\"%nparser:    %s%nreference: %s",
                            SEED, round, LIMITS[which], Bytes.escape(text), actual, expected);
                }
                int kind = Math.min(actual.result, 1);
                seen.computeIfAbsent(kind, result -> new AtomicLong()).incrementAndGet();
            }
        }
        return null;
    }

    /** Some head, changed in a few places. */
    static String mutate(SplittableRandom random) {
        // Half of them from a valid head, the others from as many of each status.
        int status = random.nextBoolean() ? 0 : random.nextInt(HEADS_BY_STATUS.size());
        List<String> heads = HEADS_BY_STATUS.get(status);
        StringBuilder text = new StringBuilder(heads.get(random.nextInt(heads.size())));
        int mutations = random.nextInt(4);
        for (int i = 0; i < mutations; i++) {
            mutateOnce(text, random);
        }
        if (text.length() > BYTES_MAX) {
            text.setLength(BYTES_MAX);
        }
        return text.toString();
    }

    private static void mutateOnce(StringBuilder text, SplittableRandom random) {
        int at = random.nextInt(text.length() + 1);
        int end = Math.min(text.length(), at + 1 + random.nextInt(4));
        String other = HEADS[random.nextInt(HEADS.length)];
        switch (random.nextInt(14)) {
            // A bit flipped.
            case 0 -> {
                if (at < text.length()) {
                    text.setCharAt(at, (char) (text.charAt(at) ^ 1 << random.nextInt(8)));
                }
            }
            // Any byte.
            case 1 -> text.insert(at, (char) random.nextInt(256));
            // An interesting byte, in addition.
            case 2 -> text.insert(at, INTERESTING.charAt(random.nextInt(INTERESTING.length())));
            // An interesting byte instead.
            case 3 ->
                    text.replace(
                            at,
                            Math.min(at + 1, text.length()),
                            INTERESTING
                                    .substring(random.nextInt(INTERESTING.length()))
                                    .substring(0, 1));
            // Some bytes lost.
            case 4 -> text.delete(at, end);
            // Some bytes twice.
            case 5 -> text.insert(at, text.substring(at, end));
            // The rest lost.
            case 6 -> text.setLength(at);
            // Another head behind.
            case 7 -> text.append(other);
            // The rest of another head.
            case 8 -> {
                text.setLength(at);
                text.append(other, random.nextInt(other.length()), other.length());
            }
            // A token where any stands.
            case 9 -> text.insert(at, TOKENS[random.nextInt(TOKENS.length)]);
            case 10 -> swapTokens(text, random);
            // A line of the head twice.
            case 11 -> changeLine(text, random, null);
            // A line from elsewhere.
            case 12 -> changeLine(text, random, LINES.get(random.nextInt(LINES.size())));
            // Letters in the other case.
            default -> {
                for (int i = at; i < end; i++) {
                    char c = text.charAt(i);
                    text.setCharAt(i, c >= 'A' && c <= 'z' ? (char) (c ^ 0x20) : c);
                }
            }
        }
        if (random.nextInt(64) == 0) {
            text.insert(
                    Math.min(at, text.length()),
                    INTERESTING
                            .substring(random.nextInt(INTERESTING.length()))
                            .substring(0, 1)
                            .repeat(random.nextInt(300)));
        }
    }

    private static void swapTokens(StringBuilder text, SplittableRandom random) {
        String from = TOKENS[random.nextInt(TOKENS.length)];
        for (int i = 0; i < TOKENS.length && text.indexOf(from) < 0; i++) {
            from = TOKENS[random.nextInt(TOKENS.length)];
        }
        int at = text.indexOf(from);
        if (at >= 0) {
            text.replace(at, at + from.length(), TOKENS[random.nextInt(TOKENS.length)]);
        }
    }

    /** Puts {@code line}, or another line of the text, where a line begins. */
    private static void changeLine(StringBuilder text, SplittableRandom random, String line) {
        String[] lines = text.toString().split("(?<=\r\n)", -1);
        String added = line == null ? lines[random.nextInt(lines.length)] : line + "\r\n";
        int place = random.nextInt(lines.length);
        text.setLength(0);
        for (int i = 0; i < lines.length; i++) {
            text.append(i == place ? added : "").append(lines[i]);
        }
    }
}
