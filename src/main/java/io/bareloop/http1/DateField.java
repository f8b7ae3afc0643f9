package io.bareloop.http1;

import io.bareloop.wire.Memory;
import io.bareloop.wire.OutputBuffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * The front of every response, {@code HTTP/1.1 200 OK}, {@code Server}, {@code Date}, kept ready
 * and rewritten once a second: an IMF-fixdate of RFC 9110, section 5.6.7, without allocation.
 */
final class DateField {
    private static final byte[] DAYS = "ThuFriSatSunMonTueWed".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] MONTHS =
            "JanFebMarAprMayJunJulAugSepOctNovDec".getBytes(StandardCharsets.US_ASCII);
    private static final String OK = "HTTP/1.1 200 OK\r\n";
    private static final String SERVER = "Server: B\r\n";
    private static final String TEMPLATE = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    private static final int DATE = OK.length() + SERVER.length() + "Date: ".length();
    static final int NATIVE_BYTES = OK.length() + SERVER.length() + TEMPLATE.length();

    /** Of the fields that an application has added to all responses. */
    static final int MORE_BYTES_MAX = 4096;

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final MemorySegment front;
    private final long address;

    /** Of all that stands there. */
    private final int length;

    private long dueNanos = Long.MIN_VALUE;
    private long day = Long.MIN_VALUE;
    private long second;

    /**
     * @param more lines behind Date in all responses: part of the one copy that these cost
     */
    DateField(Arena arena, String more) {
        byte[] bytes = (OK + SERVER + TEMPLATE + more).getBytes(StandardCharsets.US_ASCII);
        length = bytes.length;
        front = arena.allocate(bytes.length, Long.BYTES);
        address = front.address();
        MemorySegment.copy(bytes, 0, front, ValueLayout.JAVA_BYTE, 0, bytes.length);
    }

    /** Rewrites the date where a second has passed; {@code nowNanos} is the loop's clock. */
    void update(long nowNanos) {
        if (nowNanos - dueNanos >= 0 || dueNanos == Long.MIN_VALUE) {
            long millis = System.currentTimeMillis();
            dueNanos = nowNanos + (1000 - Math.floorMod(millis, 1000)) * NANOS_PER_MILLI;
            write(Math.floorDiv(millis, 1000));
        }
    }

    /** The second that the date says, since 1970. */
    long second() {
        return second;
    }

    /** Puts status line 200, Server and Date. */
    void putOk(OutputBuffer out) {
        put(0, length, out);
    }

    /** Puts Server and Date, for the status line of another status. */
    void putFields(OutputBuffer out) {
        put(OK.length(), length - OK.length(), out);
    }

    private void put(int from, int bytes, OutputBuffer out) {
        // Both are the loop's, and live as long as it runs.
        Memory.copy(address + from, out.reserve(bytes), bytes);
    }

    /** Writes the date {@code epochSecond} into the fields. */
    void write(long epochSecond) {
        second = epochSecond;
        long newDay = Math.floorDiv(epochSecond, 86_400);
        if (newDay != day) {
            day = newDay;
            writeDay(newDay);
        }
        int second = (int) Math.floorMod(epochSecond, 86_400L);
        two(17, second / 3600);
        two(20, second / 60 % 60);
        two(23, second % 60);
    }

    /** Days to civil date, by the 400-year cycle of the Gregorian calendar, years from March. */
    private void writeDay(long epochDay) {
        long shifted = epochDay + 719_468;
        long era = Math.floorDiv(shifted, 146_097);
        int dayOfEra = (int) Math.floorMod(shifted, 146_097L);
        int yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        int dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        int marchMonth = (5 * dayOfYear + 2) / 153;
        int dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1;
        int month = marchMonth < 10 ? marchMonth + 2 : marchMonth - 10;
        int year = (int) (yearOfEra + era * 400) + (month <= 1 ? 1 : 0);

        three(0, DAYS, (int) Math.floorMod(epochDay, 7L));
        two(5, dayOfMonth);
        three(8, MONTHS, month);
        two(12, year / 100);
        two(14, year % 100);
    }

    private void two(int at, int number) {
        front.set(ValueLayout.JAVA_BYTE, DATE + at, (byte) ('0' + number / 10));
        front.set(ValueLayout.JAVA_BYTE, DATE + at + 1, (byte) ('0' + number % 10));
    }

    private void three(int at, byte[] names, int index) {
        MemorySegment.copy(names, index * 3, front, ValueLayout.JAVA_BYTE, DATE + at, 3);
    }
}
