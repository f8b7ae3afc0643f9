package io.bareloop.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/** Compares a body, as it comes, with the one that it should be. For one response. */
abstract class BodyCheck {
    private static final int TEXT_BYTES_MAX = 2000;

    private long length;

    /** The next bytes; throws {@link Astray} where they are others. */
    final void bytes(byte[] in, int from, int count) {
        compare(length, in, from, count);
        length += count;
    }

    /** Bytes so far. */
    final long length() {
        return length;
    }

    abstract void compare(long offset, byte[] in, int from, int count);

    /** What is missing, where the body ends here; or null. */
    abstract String missing();

    /** The bytes that belong to {@code key}, {@code size} of them from {@code start} on. */
    static BodyCheck marked(long key, long start, long size) {
        return new BodyCheck() {
            @Override
            void compare(long offset, byte[] in, int from, int count) {
                int mismatch = MarkedBytes.mismatch(key, start + offset, in, from, count);
                if (mismatch >= 0) {
                    throw new Astray(
                            "byte "
                                    + (offset + mismatch)
                                    + " of "
                                    + size
                                    + " is another's: "
                                    + shown(in, from + mismatch, from + count));
                }
                if (offset + count > size) {
                    throw new Astray((offset + count) + " bytes of a body of " + size);
                }
            }

            @Override
            String missing() {
                return length() < size ? (size - length()) + " of " + size + " bytes" : null;
            }
        };
    }

    /** Exactly this text. */
    static BodyCheck text(String expected) {
        return new BodyCheck() {
            @Override
            void compare(long offset, byte[] in, int from, int count) {
                String piece = new String(in, from, count, ISO_8859_1);
                if (!expected.startsWith(piece, (int) offset)) {
                    throw new Astray("\"" + expected + "\" expected: " + shown(in, from, count));
                }
            }

            @Override
            String missing() {
                return length() < expected.length() ? expected.substring((int) length()) : null;
            }
        };
    }

    /** What the server says of an error: code and reason, and perhaps why. */
    static BodyCheck error(int status) {
        return new BodyCheck() {
            private final StringBuilder text = new StringBuilder();

            @Override
            void compare(long offset, byte[] in, int from, int count) {
                text.append(new String(in, from, count, ISO_8859_1));
                String begin = status + " ";
                if (text.length() > TEXT_BYTES_MAX
                        || !text.toString()
                                .startsWith(
                                        begin.substring(
                                                0, Math.min(begin.length(), text.length())))) {
                    throw new Astray("no text of an error: " + text);
                }
            }

            @Override
            String missing() {
                return text.toString().matches(status + " [ -~]+\n") ? null : "end of " + text;
            }
        };
    }

    /**
     * Events that were sent to the owner of {@code marker}. They are numbered; some may be missing,
     * for a stream drops what its client does not keep up with.
     */
    static BodyCheck events(String marker) {
        return new Events(marker);
    }

    private static final class Events extends BodyCheck {
        private static final int LINE_MAX = 1000;

        private final String marker;
        private final StringBuilder line = new StringBuilder();
        private boolean inEvent;
        private int last = -1;

        Events(String marker) {
            this.marker = marker;
        }

        @Override
        void compare(long offset, byte[] in, int from, int length) {
            for (int i = from; i < from + length; i++) {
                if (in[i] == '\n') {
                    line(line.toString());
                    line.setLength(0);
                } else if (line.length() < LINE_MAX) {
                    line.append((char) (in[i] & 0xFF));
                } else {
                    throw new Astray("no line of an event: " + line);
                }
            }
        }

        private void line(String text) {
            if (text.startsWith("data: ") && inEvent) {
                event(text.substring("data: ".length()));
                inEvent = false;
            } else if (text.equals("event: e") && !inEvent) {
                inEvent = true;
            } else if (!text.isEmpty() && !text.equals(":")) {
                throw new Astray("no line of an event of " + marker + ": " + text);
            }
        }

        private void event(String data) {
            String[] words = data.split(" ", -1);
            if (words.length != 3 || !marker.equals(words[0]) || !words[1].matches("[0-9]{1,6}")) {
                throw new Astray("an event of " + marker + " expected: " + data);
            }
            int number = Integer.parseInt(words[1]);
            long key = MarkedBytes.key(marker + " " + number);
            if (number <= last || !MarkedBytes.letters(key, words[2].length()).equals(words[2])) {
                throw new Astray("an event behind number " + last + " expected: " + data);
            }
            last = number;
        }

        @Override
        String missing() {
            return line.isEmpty() && !inEvent ? null : "the end of an event";
        }
    }

    static String shown(byte[] in, int from, int to) {
        String text = new String(in, from, Math.min(to, in.length) - from, ISO_8859_1);
        return text.substring(0, Math.min(text.length(), 160)).replaceAll("[^ -~]", ".");
    }
}
