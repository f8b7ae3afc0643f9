package io.bareloop.server;

/** Characters of UTF-8 (RFC 3629), by their bytes. */
final class Utf8 {
    private Utf8() {}

    /**
     * How many bytes the character has that begins at {@code at} and is no ASCII; 0 where it is
     * none, or does not end before {@code end}.
     */
    static int sequence(byte[] value, int at, int end) {
        int lead = value[at] & 0xFF;
        int count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (lead < 0xC2 || lead > 0xF4 || at + count > end) {
            return 0;
        }
        for (int i = 1; i < count; i++) {
            if ((value[at + i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        int second = value[at + 1] & 0xFF;
        boolean wrong =
                // Longer than need be, surrogates, beyond the last.
                (lead == 0xE0 && second < 0xA0)
                        || (lead == 0xED && second >= 0xA0)
                        || (lead == 0xF0 && second < 0x90)
                        || (lead == 0xF4 && second >= 0x90);
        return wrong ? 0 : count;
    }
}
