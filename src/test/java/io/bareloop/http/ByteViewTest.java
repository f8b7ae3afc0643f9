package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Bytes;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteViewTest {
    @Test
    void isEmptyToBeginWith() {
        ByteView view = new ByteView();
        assertThat(view.length()).isZero();
        assertThat(view.isEmpty()).isTrue();
        assertThat(view.toString()).isEmpty();
        assertThat(view.toByteArray()).isEmpty();
        assertThat(view.toUnsignedLong()).isEqualTo(-1);
    }

    @Test
    void seesItsBytesAndNoOthers() {
        ByteView view = view("abc");
        assertThat(view.length()).isEqualTo(3);
        assertThat(view.isEmpty()).isFalse();
        assertThat(view.at(0)).isEqualTo((byte) 'a');
        assertThat(view.at(2)).isEqualTo((byte) 'c');
        for (int index : new int[] {-1, 3, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> view.at(index)).isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThat(view("\u00ff").at(0)).isEqualTo((byte) -1);
    }

    @Test
    void findsAByteFromAnIndexOn() {
        ByteView view = view("a,b,");
        assertThat(view.indexOf((byte) ',', 0)).isEqualTo(1);
        assertThat(view.indexOf((byte) ',', 1)).isEqualTo(1);
        assertThat(view.indexOf((byte) ',', 2)).isEqualTo(3);
        assertThat(view.indexOf((byte) ',', 4)).isEqualTo(-1);
        assertThat(view.indexOf((byte) ',', -7)).isEqualTo(1);
        assertThat(view.indexOf((byte) ',', Integer.MAX_VALUE)).isEqualTo(-1);
        // These stand around it.
        assertThat(view.indexOf((byte) '<', 0)).isEqualTo(-1);
        assertThat(view.indexOf((byte) '9', 0)).isEqualTo(-1);
    }

    @Test
    void comparesWithText() {
        assertThat(view("").contentEquals("")).isTrue();
        assertThat(view("aB").contentEquals("aB")).isTrue();
        assertThat(view("aB").contentEquals("ab")).isFalse();
        assertThat(view("aB").contentEquals("a")).isFalse();
        assertThat(view("aB").contentEquals("aB9")).isFalse();
        assertThat(view("a").contentEquals("\u0161")).isFalse();
        // Text that is not ASCII is equal to nothing.
        assertThat(view("\u00e9").contentEquals("\u00e9")).isFalse();
        assertThat(view("\u00ff").contentEquals("\uffff")).isFalse();
    }

    @Test
    void comparesWithTextInEitherCase() {
        assertThat(view("Keep-Alive").contentEqualsIgnoreCase("kEEP-aLIVE")).isTrue();
        assertThat(view("azAZ").contentEqualsIgnoreCase("AZaz")).isTrue();
        assertThat(view("a").contentEqualsIgnoreCase("ab")).isFalse();
        // They differ in the bit that makes the case, and are no letters.
        assertThat(view("[").contentEqualsIgnoreCase("{")).isFalse();
        assertThat(view("@").contentEqualsIgnoreCase("`")).isFalse();
        assertThat(view("-").contentEqualsIgnoreCase("\r")).isFalse();
        // Unicode knows more cases.
        assertThat(view("k").contentEqualsIgnoreCase("\u212a")).isFalse();
        assertThat(view("\u00e9").contentEqualsIgnoreCase("\u00c9")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "7, 7",
        "0042, 42",
        "2147483648, 2147483648",
        "999999999999999999, 999999999999999999",
        "000000000000000001, 1"
    })
    void readsNumbers(String text, long number) {
        assertThat(view(text).toUnsignedLong()).isEqualTo(number);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "-1",
                "+1",
                "1 ",
                " 1",
                "1a",
                "a1",
                "1,1",
                "0x1",
                "/",
                ":",
                "\u00b2",
                "9223372036854775808",
                "18446744073709551616",
                "99999999999999999999999999"
            })
    void readsNothingElseAsANumber(String text) {
        assertThat(view(text).toUnsignedLong()).isEqualTo(-1);
    }

    @Test
    void copiesItsBytes() {
        byte[] copy = new byte[5];
        MemorySegment to = MemorySegment.ofArray(copy);
        view("abc").copyTo(to, 1);
        assertThat(copy).containsExactly(0, 'a', 'b', 'c', 0);
        view("").copyTo(to, 5);
        ByteView view = view("abc");
        assertThatThrownBy(() -> view.copyTo(to, 3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> view.copyTo(to, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(view.toByteArray()).containsExactly('a', 'b', 'c');
    }

    @Test
    void decodesUtf8() {
        String text = "na\u00efve \u65e5\u672c \ud83d\ude00";
        assertThat(view(Bytes.toString(text.getBytes(StandardCharsets.UTF_8))).toString())
                .isEqualTo(text);
        assertThat(view("a\u00ffb").toString()).isEqualTo("a\ufffdb");
    }

    @Test
    void isReused() {
        ByteView view = view("abc");
        assertThat(view.set(MemorySegment.ofArray(Bytes.of("xyz")), 1, 2)).isSameAs(view);
        assertThat(view.toString()).isEqualTo("yz");
    }

    /** A view of {@code latin1} between bytes that would be taken for a part of it. */
    private static ByteView view(String latin1) {
        byte[] bytes = Bytes.of("9<" + latin1 + "9<");
        return new ByteView().set(Bytes.nativeSegment(bytes), 2, latin1.length());
    }
}
