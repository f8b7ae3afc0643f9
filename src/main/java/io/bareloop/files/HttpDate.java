package io.bareloop.files;

import io.bareloop.http.ByteView;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/** Dates of RFC 9110, section 5.6.7: one form to write, three to read. */
final class HttpDate {
    /** What is no date. */
    static final long NONE = Long.MIN_VALUE;

    private static final String DAYS = "MonTueWedThuFriSatSun";
    private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

    private HttpDate() {}

    /** {@code epochSecond}, of the years 0 to 9999, as an IMF-fixdate. */
    static String format(long epochSecond) {
        LocalDateTime time = LocalDateTime.ofEpochSecond(epochSecond, 0, ZoneOffset.UTC);
        int day = (time.getDayOfWeek().getValue() - 1) * 3;
        int month = (time.getMonthValue() - 1) * 3;
        StringBuilder text = new StringBuilder(29);
        text.append(DAYS, day, day + 3).append(", ");
        two(text, time.getDayOfMonth()).append(' ');
        text.append(MONTHS, month, month + 3).append(' ');
        two(text, time.getYear() / 100);
        two(text, time.getYear() % 100).append(' ');
        two(text, time.getHour()).append(':');
        two(text, time.getMinute()).append(':');
        return two(text, time.getSecond()).append(" GMT").toString();
    }

    private static StringBuilder two(StringBuilder to, int number) {
        return to.append((char) ('0' + number / 10)).append((char) ('0' + number % 10));
    }

    /** As {@link #parse(ByteView, int)}, in the year that it is. */
    static long parse(ByteView text) {
        // Within a day of the new year either will do.
        return parse(text, (int) (1970 + System.currentTimeMillis() / 31_556_952_000L));
    }

    /**
     * Reads an IMF-fixdate, or one of the two obsolete forms: RFC 850's, whose year has two digits
     * and is within 50 years of {@code thisYear}, and that of C's asctime. The day of the week is
     * not compared with the date. Allocates nothing.
     *
     * @return seconds since 1970, or {@link #NONE}
     */
    static long parse(ByteView text, int thisYear) {
        int length = text.length();
        if (length == 29 && text.at(3) == ',') {
            return text.at(7) == ' ' && text.at(11) == ' ' && endsWithGmt(text)
                    ? seconds(number(text, 12, 4), month(text, 8), number(text, 5, 2), text, 17)
                    : NONE;
        }
        if (length == 24 && text.at(3) == ' ') {
            int day = text.at(8) == ' ' ? number(text, 9, 1) : number(text, 8, 2);
            return text.at(7) == ' ' && text.at(10) == ' ' && text.at(19) == ' '
                    ? seconds(number(text, 20, 4), month(text, 4), day, text, 11)
                    : NONE;
        }
        int comma = text.indexOf((byte) ',', 0);
        if (comma >= 6 && comma <= 9 && length == comma + 24 && endsWithGmt(text)) {
            int at = comma + 2;
            if (text.at(at + 2) != '-' || text.at(at + 6) != '-' || text.at(at + 9) != ' ') {
                return NONE;
            }
            int year = number(text, at + 7, 2);
            if (year < 0) {
                return NONE;
            }
            year += thisYear / 100 * 100;
            year -= year > thisYear + 50 ? 100 : 0;
            return seconds(year, month(text, at + 3), number(text, at, 2), text, at + 10);
        }
        return NONE;
    }

    private static boolean endsWithGmt(ByteView text) {
        int end = text.length();
        return text.at(end - 4) == ' '
                && text.at(end - 3) == 'G'
                && text.at(end - 2) == 'M'
                && text.at(end - 1) == 'T';
    }

    /** The time of day stands at {@code at}: 08:49:37. */
    private static long seconds(int year, int month, int day, ByteView text, int at) {
        int hour = number(text, at, 2);
        int minute = number(text, at + 3, 2);
        int second = number(text, at + 6, 2);
        boolean good =
                year >= 0
                        && month >= 1
                        && day >= 1
                        && day <= 31
                        && hour >= 0
                        && hour <= 23
                        && minute >= 0
                        && minute <= 59
                        && second >= 0
                        && second <= 60
                        && text.at(at + 2) == ':'
                        && text.at(at + 5) == ':';
        if (!good) {
            return NONE;
        }
        // Days of the civil calendar, counted in years that begin in March.
        int shifted = month > 2 ? year : year - 1;
        int monthFromMarch = month > 2 ? month - 3 : month + 9;
        long days =
                365L * shifted
                        + Math.floorDiv(shifted, 4)
                        - Math.floorDiv(shifted, 100)
                        + Math.floorDiv(shifted, 400)
                        + (153 * monthFromMarch + 2) / 5
                        + day
                        - 1
                        - 719_468;
        return days * 86_400 + hour * 3600L + minute * 60L + second;
    }

    /** 1 to 12, or -1. */
    private static int month(ByteView text, int at) {
        for (int month = 0; month < 12; month++) {
            if (text.at(at) == MONTHS.charAt(month * 3)
                    && text.at(at + 1) == MONTHS.charAt(month * 3 + 1)
                    && text.at(at + 2) == MONTHS.charAt(month * 3 + 2)) {
                return month + 1;
            }
        }
        return -1;
    }

    private static int number(ByteView text, int at, int digits) {
        int number = 0;
        for (int i = 0; i < digits; i++) {
            int digit = text.at(at + i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }
}
