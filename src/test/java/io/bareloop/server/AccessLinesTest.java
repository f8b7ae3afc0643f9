package io.bareloop.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.bareloop.http.ByteView;
import io.bareloop.http.Completion;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Method;
import io.bareloop.http.Views;
import io.bareloop.rig.Allocations;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The lines of an access log, byte for byte, whatever bytes come. */
class AccessLinesTest {
    private static final int ROUNDS = 20_000;
    private static final long MILLIS = Instant.parse("2026-11-30T12:55:36.007Z").toEpochMilli();
    private static final String[] PIECES = {
        "a",
        "/",
        "\"",
        "\\",
        "\n",
        "\r",
        "\0",
        "\u001b",
        "\u007f",
        "\u00e9",
        "\u00c3\u00a9",
        "\u00c3",
        "\u00e2\u0082\u00ac",
        "\u00e2\u0082",
        "\u00f0\u009f\u0098\u0080",
        "\u00ed\u00a0\u0080",
        "\u00c0\u0080",
        "\u00f4\u0090\u0080\u0080",
        "\u00ff",
        "</script>",
        "u0041",
        "{",
        "}",
        ",",
    };

    private final LineRing ring = new LineRing();
    private final Random random = new Random(8259);
    private final ObjectMapper json = new ObjectMapper();

    /** As the server tells of a request. */
    private static final class Told implements Completion {
        private Method method = Method.GET;
        private String target = "/a?b=%20c";
        private int minorVersion = 1;
        private int status = 200;
        private long bytes = 1234;
        private String client = "192.0.2.1";
        private boolean whole = true;
        private final Map<HeaderName, String> fields = new HashMap<>();

        @Override
        public Method method() {
            return method;
        }

        @Override
        public ByteView target() {
            return Views.of(target);
        }

        @Override
        public int minorVersion() {
            return minorVersion;
        }

        @Override
        public int status() {
            return status;
        }

        @Override
        public long bodyBytes() {
            return bytes;
        }

        @Override
        public long startMillis() {
            return MILLIS;
        }

        @Override
        public long durationNanos() {
            return 1_234_567;
        }

        @Override
        public boolean isWhole() {
            return whole;
        }

        @Override
        public ByteView client() {
            return Views.of(client);
        }

        @Override
        public ByteView header(HeaderName name) {
            String value = fields.get(name);
            return value == null ? null : Views.of(value);
        }
    }

    private static Told refused() {
        Told told = new Told();
        told.method = null;
        told.minorVersion = -1;
        told.target = "NON\"SENSE\\ \u00e9";
        told.status = 400;
        told.bytes = 16;
        return told;
    }

    private static Told cut() {
        Told told = new Told();
        told.method = Method.POST;
        told.minorVersion = 0;
        told.status = 0;
        told.bytes = 0;
        told.whole = false;
        told.client = "";
        return told;
    }

    private byte[] bytes(AccessLog.Format format, Completion told) {
        new AccessLines(format, ring, ZoneId.of("Europe/Berlin")).completed(told);
        ByteBuffer to = ByteBuffer.allocate(1 << 18);
        ring.take(to);
        byte[] bytes = new byte[to.position()];
        to.flip().get(bytes);
        return bytes;
    }

    private String line(AccessLog.Format format, Completion told) {
        return new String(bytes(format, told), ISO_8859_1);
    }

    @Test
    void common() {
        assertThat(line(AccessLog.Format.COMMON, new Told()))
                .isEqualTo(
                        "192.0.2.1 - - [30/Nov/2026:13:55:36 +0100]"
                                + " \"GET /a?b=%20c HTTP/1.1\" 200 1234\n");
        assertThat(line(AccessLog.Format.COMMON, refused()))
                .isEqualTo(
                        "192.0.2.1 - - [30/Nov/2026:13:55:36 +0100]"
                                + " \"NON\\x22SENSE\\x5C \\xE9\" 400 16\n");
        assertThat(line(AccessLog.Format.COMMON, cut()))
                .isEqualTo(
                        "- - - [30/Nov/2026:13:55:36 +0100] \"POST /a?b=%20c HTTP/1.0\" 000 0\n");
    }

    @Test
    void combined() {
        Told told = new Told();
        told.fields.put(HeaderName.USER_AGENT, "Mozilla/5.0 (\"x\"\t)");
        assertThat(line(AccessLog.Format.COMBINED, told))
                .isEqualTo(
                        "192.0.2.1 - - [30/Nov/2026:13:55:36 +0100]"
                                + " \"GET /a?b=%20c HTTP/1.1\" 200 1234"
                                + " \"-\" \"Mozilla/5.0 (\\x22x\\x22\\x09)\"\n");
    }

    @Test
    void json() {
        Told told = new Told();
        told.fields.put(HeaderName.USER_AGENT, "a\"\\\u0001\u00c3\u00a9\u00ff");
        told.fields.put(HeaderName.HOST, "a.example:8080");
        assertThat(new String(bytes(AccessLog.Format.JSON, told), UTF_8))
                .isEqualTo(
                        "{\"time\":\"2026-11-30T12:55:36.007Z\",\"client\":\"192.0.2.1\","
                                + "\"method\":\"GET\",\"target\":\"/a?b=%20c\","
                                + "\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":1234,"
                                + "\"duration_us\":1234,\"whole\":true,\"referer\":null,"
                                + "\"user_agent\":\"a\\\"\\\\\\u0001\u00e9\\ufffd\","
                                + "\"host\":\"a.example:8080\"}\n");
        assertThat(line(AccessLog.Format.JSON, cut()))
                .startsWith("{\"time\":\"2026-11-30T12:55:36.007Z\",\"client\":null,")
                .contains("\"protocol\":\"HTTP/1.0\",\"status\":0,\"bytes\":0,")
                .contains("\"whole\":false,");
        assertThat(line(AccessLog.Format.JSON, refused()))
                .contains("\"method\":null,\"target\":\"NON\\\"SENSE\\\\ \\ufffd\"")
                .contains("\"protocol\":null");
    }

    @Test
    void whateverComesALineIsAnObjectOfJson() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            Told told = new Told();
            told.target = hostile();
            String agent = hostile();
            told.fields.put(HeaderName.USER_AGENT, agent);
            byte[] bytes = bytes(AccessLog.Format.JSON, told);
            String text = decode(bytes);
            assertThat(text.indexOf('\n')).isEqualTo(text.length() - 1);
            JsonNode node = json.readTree(text);
            String expected = new String(agent.getBytes(ISO_8859_1), UTF_8);
            // How many stand for several bytes that are no UTF-8 is a matter of taste.
            assertThat(node.get("user_agent").textValue().replaceAll("\uFFFD+", "?"))
                    .isEqualTo(expected.replaceAll("\uFFFD+", "?"));
        }
    }

    /** Throws where they are no UTF-8. */
    private static String decode(byte[] bytes) throws CharacterCodingException {
        return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    }

    @Test
    void whateverComesALineIsPrintable() {
        for (int round = 0; round < ROUNDS; round++) {
            Told told = round % 2 == 0 ? new Told() : refused();
            told.target = hostile();
            told.fields.put(HeaderName.REFERER, hostile());
            String text = line(AccessLog.Format.COMBINED, told);
            assertThat(text).matches("[ -~]*\n");
            assertThat(text.chars().filter(c -> c == '"').count()).isEqualTo(6);
        }
    }

    private String hostile() {
        StringBuilder text = new StringBuilder();
        for (int pieces = random.nextInt(8); pieces > 0; pieces--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }

    @ParameterizedTest
    @EnumSource
    void valuesAreCut(AccessLog.Format format) throws Exception {
        Told told = new Told();
        told.target = "\u00c3\u00a9".repeat(20_000);
        byte[] bytes = bytes(format, told);
        assertThat(bytes.length).isBetween(4096, 17_000);
        if (format == AccessLog.Format.JSON) {
            assertThat(json.readTree(decode(bytes)).get("target").textValue()).hasSize(2048);
        }
    }

    @Test
    void timesAreThoseOfTheCalendar() {
        DateTimeFormatter common =
                DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss xx", Locale.ENGLISH);
        DateTimeFormatter internet =
                DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ENGLISH);
        for (String name : List.of("Europe/Berlin", "UTC", "Asia/Kathmandu", "America/St_Johns")) {
            ZoneId zone = ZoneId.of(name);
            LogTime time = new LogTime(zone);
            for (int round = 0; round < ROUNDS; round++) {
                long millis = random.nextLong(253_402_300_800_000L);
                if (round % 2 == 0) {
                    // Around the end of summer time in 2026.
                    millis = 1_792_890_000_000L + random.nextInt(7_200_000);
                }
                Instant instant = Instant.ofEpochMilli(millis);
                assertThat(new String(time.common(millis), ISO_8859_1))
                        .isEqualTo(common.format(instant.atZone(zone)));
                assertThat(new String(time.internet(millis), ISO_8859_1))
                        .isEqualTo(internet.format(instant.atZone(ZoneOffset.UTC)));
            }
        }
    }

    @Test
    void aSecondMoreAllocatesNothing() throws InterruptedException {
        LogTime time = new LogTime(ZoneId.of("Europe/Berlin"));
        long[] seconds = {0};
        byte[][] last = new byte[2][];
        long bytes =
                Allocations.perRound(
                        () -> {
                            seconds[0]++;
                            last[0] =
                                    time.common(
                                            MILLIS / 900_000 * 900_000 + seconds[0] % 900 * 1000);
                            last[1] = time.internet(MILLIS + seconds[0] * 1000);
                        });
        assertThat(bytes).isZero();
    }

    // ---- the ring

    /** Lines of all lengths, by one thread and another: in order, whole, or counted. */
    @Test
    void theRingLosesNothingThatItDoesNotCount() throws Exception {
        int lines = 200_000;
        Thread loop =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    for (int i = 0; i < lines; i++) {
                                        byte[] line =
                                                (i + " " + "x".repeat(i % 300) + "\n")
                                                        .getBytes(ISO_8859_1);
                                        ring.put(line, line.length);
                                    }
                                });
        ByteBuffer to = ByteBuffer.allocate(5000);
        int last = -1;
        int seen = 0;
        while (loop.isAlive() || !ring.isEmpty()) {
            to.clear();
            ring.take(to);
            to.flip();
            String text = ISO_8859_1.decode(to).toString();
            assertThat(text.isEmpty() || text.endsWith("\n")).isTrue();
            for (String line : text.split("\n", -1)) {
                if (!line.isEmpty()) {
                    int space = line.indexOf(' ');
                    int number = Integer.parseInt(line.substring(0, space));
                    assertThat(number).isGreaterThan(last);
                    assertThat(line.length() - space - 1).isEqualTo(number % 300);
                    last = number;
                    seen++;
                }
            }
        }
        loop.join();
        assertThat(seen + ring.dropped()).isEqualTo(lines);
    }
}
