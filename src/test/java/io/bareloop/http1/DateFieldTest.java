package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.wire.OutputBuffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The date of responses, against java.time. */
class DateFieldTest {
    private static final DateTimeFormatter IMF_FIXDATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
                    .withZone(ZoneOffset.UTC);
    private static final long SECONDS_A_DAY = 86_400;
    private static final long DAY_2101 = LocalDate.of(2101, 1, 1).toEpochDay();
    private static final long MILLI = 1_000_000;

    private final Arena arena = Arena.ofConfined();
    private final OutputBuffer out = new OutputBuffer(arena, 256);
    private final DateField date = new DateField(arena, "");
    private final SplittableRandom random = new SplittableRandom(1);

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void writesEveryDayUntil2100() {
        for (long day = 0; day < DAY_2101; day++) {
            assertWrites(day * SECONDS_A_DAY + random.nextLong(SECONDS_A_DAY));
        }
    }

    @Test
    void writesEverySecondOfADay() {
        for (long second = 0; second < SECONDS_A_DAY; second++) {
            assertWrites(LocalDate.of(2024, 2, 29).toEpochDay() * SECONDS_A_DAY + second);
        }
    }

    /** In any order: the day is only written where it is another than before. */
    @Test
    void writesRandomSeconds() {
        for (int i = 0; i < 200_000; i++) {
            assertWrites(random.nextLong(DAY_2101 * SECONDS_A_DAY));
        }
    }

    @Test
    void writesTheEndsOfDaysYearsAndCenturies() {
        for (String at :
                new String[] {
                    "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2000-02-28T23:59:59Z",
                    "2000-02-29T00:00:00Z", "2000-03-01T00:00:00Z", "2038-01-19T03:14:08Z",
                    "2100-02-28T23:59:59Z", "2100-03-01T00:00:00Z", "9999-12-31T23:59:59Z"
                }) {
            assertWrites(Instant.parse(at).getEpochSecond());
        }
    }

    @Test
    void isTheFrontOfEveryResponse() {
        date.write(784_111_777);
        String fields = "Server: B\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        date.putOk(out);
        assertThat(written()).isEqualTo("HTTP/1.1 200 OK\r\n" + fields);
        out.clear();
        date.putFields(out);
        assertThat(written()).isEqualTo(fields);
    }

    @Test
    void followsTheClock() {
        date.update(0);
        Instant shown = Instant.from(IMF_FIXDATE.parse(shown(date)));
        assertThat(shown).isBetween(Instant.now().minusSeconds(2), Instant.now());
    }

    /** A loop calls it every turn, and only once a second should it cost anything. */
    @Test
    void isRewrittenWhenTheSecondIsOver() {
        for (long start : new long[] {0, -5_000_000_000L, Long.MAX_VALUE, Long.MIN_VALUE + 1}) {
            DateField date = new DateField(arena, "");
            date.update(start);
            date.write(0);
            // The clock reads whole milliseconds: the earliest end of a second is one away.
            date.update(start + MILLI - 1);
            assertThat(shown(date)).isEqualTo("Thu, 01 Jan 1970 00:00:00 GMT");
            date.update(start + 1000 * MILLI);
            assertThat(shown(date)).isNotEqualTo("Thu, 01 Jan 1970 00:00:00 GMT");
        }
    }

    @Test
    void allocatesNothing() {
        com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int window = 0; window < 5 && least > 0; window++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 50_000; i++) {
                date.update(i * 1000L * MILLI);
                date.write(i * 12_345L);
                date.putOk(out);
                out.clear();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(least).isZero();
    }

    private void assertWrites(long second) {
        date.write(second);
        String expected = IMF_FIXDATE.format(Instant.ofEpochSecond(second));
        // Not an assertion each: they take longer than the rest of the test.
        if (!shown(date).equals(expected)) {
            assertThat(shown(date)).as("second %d", second).isEqualTo(expected);
        }
    }

    private String shown(DateField date) {
        out.clear();
        date.putFields(out);
        String text = written();
        out.clear();
        return text.substring(text.indexOf("Date: ") + 6, text.length() - 2);
    }

    private String written() {
        byte[] bytes = new byte[out.position()];
        MemorySegment.copy(out.segment(), ValueLayout.JAVA_BYTE, 0, bytes, 0, bytes.length);
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
