package io.bareloop.app;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The JSON of the demonstration, byte for byte. */
class JsonMessageTest {
    @Test
    void writesAMessage() {
        assertThat(json("Hello, World!")).isEqualTo("{\"message\":\"Hello, World!\"}");
        assertThat(json("")).isEqualTo("{\"message\":\"\"}");
        assertThat(json(" ~/\u007f'")).isEqualTo("{\"message\":\" ~/\u007f'\"}");
    }

    @Test
    void escapesWhatAStringMustNotHold() {
        assertThat(json("\"")).isEqualTo("{\"message\":\"\\\"\"}");
        assertThat(json("\\")).isEqualTo("{\"message\":\"\\\\\"}");
        assertThat(json("a\"b\\c")).isEqualTo("{\"message\":\"a\\\"b\\\\c\"}");
        for (char c = 0; c < ' '; c++) {
            String escape = String.format("\\u%04x", (int) c);
            assertThat(json("<" + c + ">")).isEqualTo("{\"message\":\"<" + escape + ">\"}");
        }
    }

    @Test
    void writesNothingBehindItsEnd() {
        byte[] to = new byte[64];
        Arrays.fill(to, (byte) '#');
        int length = JsonMessage.write("\n", MemorySegment.ofArray(to));
        assertThat(new String(to, US_ASCII))
                .isEqualTo("{\"message\":\"\\u000a\"}" + "#".repeat(64 - length));
    }

    @Test
    void needsRoomForAllOfIt() {
        String message = "a\"\t";
        int length = json(message).length();
        try (Arena arena = Arena.ofConfined()) {
            assertThat(JsonMessage.write(message, arena.allocate(length))).isEqualTo(length);
            for (int room = 0; room < length; room++) {
                MemorySegment small = arena.allocate(room);
                assertThatThrownBy(() -> JsonMessage.write(message, small))
                        .as("in %d bytes", room)
                        .isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
    }

    private static String json(String message) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate(64);
            int length = JsonMessage.write(message, to);
            return new String(to.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), US_ASCII);
        }
    }
}
