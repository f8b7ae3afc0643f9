package io.bareloop.server;

import java.time.Instant;
import java.time.ZoneId;
import java.util.Arrays;

/**
 * Times of a log, written out of numbers: those of one second are remembered, and nothing is
 * allocated but four times an hour, when the offset of the time zone is asked for. Belongs to one
 * loop.
 */
final class LogTime {
    private static final long OFFSET_SECONDS = 900;
    private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

    private final ZoneId zone;

    /** As {@code 30/Nov/2026:13:55:36 +0100}. */
    private final byte[] common = new byte[26];

    private long commonSecond = Long.MIN_VALUE;
    private long offsetUntil = Long.MIN_VALUE;
    private long offsetFrom;
    private int offset;

    /** As {@code 2026-11-30T12:55:36.123Z}. */
    private final byte[] internet = new byte[24];

    private long internetSecond = Long.MIN_VALUE;

    LogTime(ZoneId zone) {
        this.zone = zone;
    }

    // Of a day, from its number.
    private int year;
    private int month;
    private int day;

    /** The time in the zone, as the Common Log Format has it. */
    byte[] common(long millis) {
        long second = Math.floorDiv(millis, 1000L);
        if (second != commonSecond) {
            commonSecond = second;
            long local = second + offset(second);
            date(Math.floorDiv(local, 86_400L));
            two(common, 0, day);
            common[2] = '/';
            for (int i = 0; i < 3; i++) {
                common[3 + i] = (byte) MONTHS.charAt(3 * (month - 1) + i);
            }
            common[6] = '/';
            four(common, 7, year);
            common[11] = ':';
            time(common, 12, (int) Math.floorMod(local, 86_400L));
            common[20] = ' ';
            common[21] = (byte) (offset < 0 ? '-' : '+');
            two(common, 22, Math.abs(offset) / 3600);
            two(common, 24, Math.abs(offset) / 60 % 60);
        }
        return common;
    }

    private int offset(long second) {
        if (second < offsetFrom || second >= offsetUntil) {
            offset = zone.getRules().getOffset(Instant.ofEpochSecond(second)).getTotalSeconds();
            // No zone changes but at a quarter of an hour.
            offsetFrom = Math.floorDiv(second, OFFSET_SECONDS) * OFFSET_SECONDS;
            offsetUntil = offsetFrom + OFFSET_SECONDS;
        }
        return offset;
    }

    /** The time in UTC, as RFC 3339 has it, with milliseconds. */
    byte[] internet(long millis) {
        long second = Math.floorDiv(millis, 1000L);
        if (second != internetSecond) {
            internetSecond = second;
            date(Math.floorDiv(second, 86_400L));
            Arrays.fill(internet, (byte) '-');
            four(internet, 0, year);
            two(internet, 5, month);
            two(internet, 8, day);
            internet[10] = 'T';
            time(internet, 11, (int) Math.floorMod(second, 86_400L));
            internet[19] = '.';
            internet[23] = 'Z';
        }
        int rest = (int) Math.floorMod(millis, 1000L);
        internet[20] = (byte) ('0' + rest / 100);
        two(internet, 21, rest % 100);
        return internet;
    }

    /** The day with that number, counted from 1970, in years that begin in March. */
    private void date(long epochDay) {
        long days = epochDay + 719_468;
        int era = (int) Math.floorDiv(days, 146_097L);
        int ofEra = (int) Math.floorMod(days, 146_097L);
        int yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365;
        int ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        int march = (5 * ofYear + 2) / 153;
        day = ofYear - (153 * march + 2) / 5 + 1;
        month = march < 10 ? march + 3 : march - 9;
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
    }

    private static void time(byte[] to, int at, int ofDay) {
        two(to, at, ofDay / 3600);
        to[at + 2] = ':';
        two(to, at + 3, ofDay / 60 % 60);
        to[at + 5] = ':';
        two(to, at + 6, ofDay % 60);
    }

    private static void two(byte[] to, int at, int number) {
        to[at] = (byte) ('0' + number / 10);
        to[at + 1] = (byte) ('0' + number % 10);
    }

    private static void four(byte[] to, int at, int number) {
        two(to, at, number / 100);
        two(to, at + 2, number % 100);
    }
}
