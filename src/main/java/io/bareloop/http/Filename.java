package io.bareloop.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Names of parts and files as they are sent, and a name of it that a file may have here. */
final class Filename {
    /** What Linux allows as the name of a file, with room for a suffix like {@code .part}. */
    private static final int SAFE_BYTES_MAX = 200;

    private static final String NAMELESS = "file";

    private Filename() {}

    /**
     * Decodes a name as browsers send it: UTF-8, with {@code %22}, {@code %0D} and {@code %0A} for
     * a quote, CR and LF (WHATWG, HTML, multipart/form-data encoding algorithm). All other percent
     * signs stand for themselves.
     *
     * @param what it is, for messages
     * @throws HttpException with 400 where it is not UTF-8
     */
    static String decode(String what, byte[] sent) {
        ByteArrayOutputStream decoded = new ByteArrayOutputStream(sent.length);
        int at = 0;
        while (at < sent.length) {
            int escaped = sent[at] == '%' ? hexadecimal(sent, at + 1) : -1;
            if (escaped == '"' || escaped == '\r' || escaped == '\n') {
                decoded.write(escaped);
                at += 3;
            } else {
                decoded.write(sent[at]);
                at++;
            }
        }
        return utf8(what, decoded.toByteArray());
    }

    /**
     * Decodes {@code UTF-8'language'percent-encoded} (RFC 8187, section 3.2).
     *
     * @throws HttpException with 400 where it is something else
     */
    static String decodeExtended(byte[] sent) {
        int at = endOfCharset(sent);
        ByteArrayOutputStream decoded = new ByteArrayOutputStream(sent.length);
        while (at < sent.length) {
            int b = sent[at];
            if (b == '%') {
                b = hexadecimal(sent, at + 1);
                if (b < 0) {
                    throw malformed("filename* has a percent sign without two hexadecimal digits");
                }
                at += 2;
            }
            decoded.write(b);
            at++;
        }
        return utf8("filename*", decoded.toByteArray());
    }

    /** Behind the two apostrophes. */
    private static int endOfCharset(byte[] sent) {
        String text = new String(sent, StandardCharsets.ISO_8859_1);
        int language = text.indexOf('\'') + 1;
        int value = text.indexOf('\'', language) + 1;
        if (language == 0
                || value == 0
                || !text.substring(0, language).equalsIgnoreCase("utf-8'")) {
            throw malformed("filename* is UTF-8''name");
        }
        return value;
    }

    private static int hexadecimal(byte[] in, int at) {
        int high = at + 1 < in.length ? Character.digit(in[at], 16) : -1;
        int low = at + 1 < in.length ? Character.digit(in[at + 1], 16) : -1;
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    private static String utf8(String what, byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw malformed(what + " is not UTF-8");
        }
    }

    private static HttpException malformed(String how) {
        return new HttpException(Status.BAD_REQUEST, "malformed Content-Disposition: " + how);
    }

    /** Of {@code sent}, what {@link Part#safeFilename} promises. */
    static String safe(String sent) {
        String last = sent.substring(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1);
        StringBuilder safe = new StringBuilder();
        int bytes = 0;
        for (int c : last.strip().codePoints().filter(Filename::isVisible).toArray()) {
            bytes += Character.toString(c).getBytes(StandardCharsets.UTF_8).length;
            if (bytes > SAFE_BYTES_MAX) {
                break;
            }
            safe.appendCodePoint(c);
        }
        String name = safe.toString().strip();
        return name.isEmpty() || name.equals(".") || name.equals("..") ? NAMELESS : name;
    }

    /** Neither a control character nor one that has text run in another direction, nor unknown. */
    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.UNASSIGNED ->
                    false;
            default -> true;
        };
    }
}
