package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Views;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a Range field comes to (RFC 9110, section 14.1.2), of a file of 100 bytes. */
class ByteRangesTest {
    private final ByteRanges ranges = new ByteRanges();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bytes=0-0              | 0-0",
                "bytes=0-99             | 0-99",
                "bytes=0-100            | 0-99",
                "bytes=0-               | 0-99",
                "bytes=99-              | 99-99",
                "bytes=-1               | 99-99",
                "bytes=-100             | 0-99",
                "bytes=-101             | 0-99",
                "bytes=-999999999999999999999999 | 0-99",
                "bytes=5-99999999999999999999999 | 5-99",
                "BYTES=1-2              | 1-2",
                "bytes=1-2,4-5          | 1-2 4-5",
                "bytes= 1-2 ,, 4-5 ,    | 1-2 4-5",
                "bytes=4-5,1-2          | 4-5 1-2",
                "bytes=1-2,100-200      | 1-2",
                "bytes=1-2,-0           | 1-2",
                "bytes=100-             | none",
                "bytes=100-101,-0       | none",
                "bytes=99999999999999999999999- | none",
                "bytes=-0               | none",
                "bytes=0-49,0-50        | all",
                "bytes=2-1              | all",
                "bytes=-                | all",
                "bytes=                 | all",
                "bytes=,                | all",
                "bytes=a-b              | all",
                "bytes=1                | all",
                "bytes=1-2-3            | all",
                "bytes=1 - 2            | all",
                "bytes=1-2;3-4          | all",
                "bytes=--1              | all",
                "bytes=0x1-2            | all",
                "bytes 1-2              | all",
                "byte=1-2               | all",
                "items=1-2              | all",
                "''                     | all",
            })
    void comeTo(String field, String expected) {
        assertThat(outcome(field.equals("''") ? "" : field, 100)).isEqualTo(expected);
    }

    /** Nothing of an empty file can be named in Content-Range. */
    @ParameterizedTest
    @CsvSource({"bytes=0-, none", "bytes=0-0, none", "bytes=-5, all", "bytes=-0, none"})
    void ofAnEmptyFile(String field, String expected) {
        assertThat(outcome(field, 0)).isEqualTo(expected);
    }

    @Test
    void areBounded() {
        String most = list(ByteRanges.RANGES_MAX);
        assertThat(outcome("bytes=" + most, 100).split(" ")).hasSize(ByteRanges.RANGES_MAX);
        assertThat(outcome("bytes=" + list(ByteRanges.RANGES_MAX + 1), 100)).isEqualTo("all");
    }

    /** However many digits there are: around each power of two and of ten, and with zeros. */
    @Test
    void numbersOfAnyLengthAreTakenAsTheyAre() {
        List<BigInteger> numbers = new ArrayList<>();
        for (int i = 0; i <= 200; i++) {
            for (BigInteger power : List.of(BigInteger.TWO.pow(i), BigInteger.TEN.pow(i))) {
                for (int more = -11; more <= 11; more++) {
                    numbers.add(power.add(BigInteger.valueOf(more)).max(BigInteger.ZERO));
                }
            }
        }
        Random random = new Random(7);
        for (long size : new long[] {0, 1, 10, 1000, 1L << 40, Long.MAX_VALUE / 8}) {
            for (BigInteger a : numbers) {
                BigInteger b = numbers.get(random.nextInt(numbers.size()));
                String first = "0".repeat(random.nextInt(3) * 20) + a;
                String last = "0".repeat(random.nextInt(3) * 20) + b;
                BigInteger end = a.add(BigInteger.valueOf(random.nextLong(5) - 2));
                assertAsExact(a, null, first + "-", size);
                assertAsExact(null, a, "-" + first, size);
                assertAsExact(BigInteger.ZERO, a, "0-" + first, size);
                assertAsExact(a, b, first + "-" + last, size);
                if (end.signum() >= 0) {
                    assertAsExact(a, end, first + "-" + end, size);
                }
            }
        }
    }

    private void assertAsExact(BigInteger first, BigInteger last, String spec, long size) {
        assertThat(outcome("bytes=" + spec, size)).as(spec).isEqualTo(exact(first, last, size));
    }

    /** RFC 9110, section 14.1.2, word by word; of a suffix, first is null. */
    private static String exact(BigInteger first, BigInteger last, long size) {
        BigInteger all = BigInteger.valueOf(size);
        BigInteger end = all.subtract(BigInteger.ONE);
        if (first == null) {
            if (last.signum() == 0) {
                return "none";
            }
            // House rule: nothing of an empty file can be named.
            return size == 0 ? "all" : all.subtract(last).max(BigInteger.ZERO) + "-" + end;
        }
        if (last != null && last.compareTo(first) < 0) {
            return "all";
        }
        if (first.compareTo(all) >= 0) {
            return "none";
        }
        return first + "-" + (last == null ? end : last.min(end));
    }

    /** Whatever comes, what is returned lies within the file. */
    @Test
    void hostileFieldsStayInside() {
        Random random = new Random(11);
        String characters = "0123456789--,, =bytes\t9";
        for (int i = 0; i < 100_000; i++) {
            StringBuilder field = new StringBuilder("bytes=");
            for (int j = random.nextInt(30); j > 0; j--) {
                field.append(characters.charAt(random.nextInt(characters.length())));
            }
            long size = random.nextLong(1000);
            int count = ranges.parse(Views.of(field.toString()), size);
            for (int j = 0; j < count; j++) {
                assertThat(ranges.first(j)).isBetween(0L, ranges.last(j));
                assertThat(ranges.last(j)).as(field.toString()).isLessThan(size);
            }
        }
    }

    private static String list(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> i * 2 + "-" + i * 2)
                .collect(Collectors.joining(","));
    }

    private String outcome(String field, long size) {
        int count = ranges.parse(Views.of(field), size);
        if (count == ByteRanges.ALL) {
            return "all";
        }
        if (count == ByteRanges.NOTHING) {
            return "none";
        }
        return IntStream.range(0, count)
                .mapToObj(i -> ranges.first(i) + "-" + ranges.last(i))
                .collect(Collectors.joining(" "));
    }
}
