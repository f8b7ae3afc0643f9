package io.bareloop.http1;

import io.bareloop.rig.Bytes;
import java.util.ArrayList;
import java.util.List;

/** Chunked bodies, valid and not, each with what becomes of it. */
final class ChunkedBodies {
    /** What follows each valid body, and is none of it. */
    static final String NEXT = "GET / HTTP/1.1\r\n";

    private ChunkedBodies() {}

    /**
     * A body.
     *
     * @param what it is about
     * @param input the bytes
     * @param body what they decode to; of a malformed one, what comes ahead of the mistake
     */
    record Chunked(String what, String input, String body) {
        @Override
        public String toString() {
            String escaped = Bytes.escape(input);
            return what
                    + ": "
                    + (escaped.length() > 60 ? escaped.substring(0, 60) + "..." : escaped);
        }
    }

    /** Bodies that end with their last byte. */
    static List<Chunked> valid() {
        List<Chunked> all = new ArrayList<>();
        all.add(valid("no chunk", "0\r\n\r\n", ""));
        all.add(valid("one chunk", "3\r\nabc\r\n0\r\n\r\n", "abc"));
        all.add(valid("two chunks", "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", "abcd"));
        all.add(valid("data like a frame", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"));
        all.add(valid("any byte", "4\r\n\0\u00ff\r\n\r\n0\r\n\r\n", "\0\u00ff\r\n"));
        all.add(valid("leading zeros", "003\r\nabc\r\n000\r\n\r\n", "abc"));
        all.add(valid("15 digits", "000000000000002\r\nab\r\n000000000000000\r\n\r\n", "ab"));
        all.add(valid("lower case", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"));
        all.add(valid("upper case", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"));
        all.add(valid("two digits", "1b\r\n" + "x".repeat(27) + "\r\n0\r\n\r\n", "x".repeat(27)));
        all.add(valid("mixed", "aB\r\n" + "y".repeat(171) + "\r\n0\r\n\r\n", "y".repeat(171)));
        all.add(valid("f", "f\r\n" + "z".repeat(15) + "\r\n0\r\n\r\n", "z".repeat(15)));

        String[] extensions = {
            ";a",
            ";a;b",
            ";a=b",
            ";a=b;c=d;e",
            ";a=\"\"",
            ";a=\"b c;d=e\tf\"",
            ";a=\"\\\"\\\\\\x\\ \"",
            ";a=\"\u0080\u00ff\\\u00e9\"",
            ";!#$%&'*+-.^_`|~09azAZ=!#$%&'*+-.^_`|~09azAZ",
            "; a",
            ";\ta",
            ";a = b",
            ";a \t=\t b",
            ";a ;b",
            ";a=b ;c",
            ";a=\"b\" ; c=\"d\"",
            ";" + "a".repeat(BodyDecoder.EXTENSION_BYTES_MAX - 1),
            ";a=\"" + "\\b".repeat(BodyDecoder.EXTENSION_BYTES_MAX / 2 - 3) + "c\""
        };
        for (String extension : extensions) {
            all.add(valid("extension", "1" + extension + "\r\nx\r\n0\r\n\r\n", "x"));
            all.add(valid("last extension", "1\r\nx\r\n0" + extension + "\r\n\r\n", "x"));
        }
        all.add(valid("many extensions", chunks(1024, ";ext"), "x".repeat(1024)));

        String[] trailers = {
            "A: b\r\n",
            "A:\r\n",
            "A:b\r\n",
            "A: \t b \t \r\n",
            "A: b\r\nC: d\r\n",
            "Content-Length: 5\r\n",
            "A: \u0080\u00ff\"\\\r\n",
            "!#$%&'*+-.^_`|~09azAZ: ~\r\n",
            "A:" + "b".repeat(BodyDecoder.TRAILER_BYTES_MAX - 2) + "\r\n",
            "Ab:c\r\n".repeat(BodyDecoder.TRAILER_BYTES_MAX / 4)
        };
        for (String trailer : trailers) {
            all.add(valid("trailer", "1\r\nx\r\n0\r\n" + trailer + "\r\n", "x"));
        }
        return all;
    }

    /** Bodies of which the last byte is the first that is wrong. */
    static List<Chunked> malformed() {
        List<Chunked> all = new ArrayList<>();
        for (String size :
                List.of(
                        "\r",
                        "\n",
                        " ",
                        "\t",
                        ";",
                        "\0",
                        "+",
                        "-",
                        "x",
                        "g",
                        "G",
                        "/",
                        ":",
                        "@",
                        "`",
                        "\u00b2",
                        "\u00ff",
                        "\"",
                        ",",
                        "0x",
                        "0X",
                        "1 ",
                        "1\t",
                        "1\n",
                        "1h",
                        "1,",
                        "1-",
                        "1.",
                        "1_",
                        "1\0",
                        "1\u0080",
                        "1\u00ff",
                        "1l",
                        "0000000000000000",
                        "1000000000000000",
                        "ffffffffffffffff")) {
            all.add(malformed("size", size, ""));
            all.add(malformed("second size", "1\r\nx\r\n" + size, "x"));
        }
        for (String wrong :
                List.of("0\r0", "0\r\r", "0\r ", "1\rx", "1\r\0", "0;a\r\r", "0;a\rb")) {
            all.add(malformed("LF after CR of a size", wrong, ""));
        }
        for (String wrong : List.of("y", "\n", "0", " ", "\0", "\ry", "\r\r", "\r0", "\r\0")) {
            all.add(malformed("CRLF after data", "2\r\nxx" + wrong, "xx"));
        }
        for (String extension :
                List.of(
                        ";\r",
                        ";;",
                        ";=",
                        ";\n",
                        ";\"",
                        ";,",
                        ";a\n",
                        ";a\0",
                        ";a\u007f",
                        ";a\u0080",
                        ";a,",
                        ";a\"",
                        ";a b",
                        ";a \r",
                        ";a \n",
                        ";a=\r",
                        ";a= \r",
                        ";a=;",
                        ";a==",
                        ";a=b\n",
                        ";a=b\0",
                        ";a=b=",
                        ";a=b\"",
                        ";a=b c",
                        ";a=b \r",
                        ";a=\"\r",
                        ";a=\"\n",
                        ";a=\"\0",
                        ";a=\"b\u007f",
                        ";a=\"\\\r",
                        ";a=\"\\\n",
                        ";a=\"\\\0",
                        ";a=\"\\\u0007",
                        ";a=\"b\"c",
                        ";a=\"b\"\"",
                        ";a=\"b\"=",
                        ";a=\"b\" \r",
                        ";a=\"b\" c",
                        ";" + "a".repeat(BodyDecoder.EXTENSION_BYTES_MAX),
                        ";a=\"" + "b".repeat(BodyDecoder.EXTENSION_BYTES_MAX - 3),
                        ";a=\"" + "\\b".repeat(BodyDecoder.EXTENSION_BYTES_MAX / 2 - 2) + "c",
                        ";a=\"" + "\\b".repeat(BodyDecoder.EXTENSION_BYTES_MAX / 2 - 2) + "\"")) {
            all.add(malformed("extension", "1" + extension, ""));
            all.add(malformed("last extension", "1\r\nx\r\n0" + extension, "x"));
        }
        String full = chunks(1024, ";ext");
        String open = full.substring(0, full.length() - "0\r\n\r\n".length());
        all.add(malformed("one extension too many", open + "1;", "x".repeat(1024)));
        all.add(malformed("one extension too many, last", open + "0;", "x".repeat(1024)));

        for (String trailer :
                List.of(
                        "\n",
                        " ",
                        "\t",
                        ":",
                        "\0",
                        "A\r",
                        "A\n",
                        "A ",
                        "A\t",
                        "\u00e9",
                        "A\u00e9",
                        "A\"",
                        "A: b\n",
                        "A: b\0",
                        "A: b\u007f",
                        "A: \u0001",
                        "A: b\rc",
                        "A: b\r\r",
                        "A: b\r\n ",
                        "A: b\r\n\t",
                        "A: b\r\n:",
                        "A: b\r\n\n",
                        "A: b\r\nC\r",
                        "\r\r",
                        "\rG",
                        "\r\0",
                        "A: b\r\n\rG",
                        "a".repeat(BodyDecoder.TRAILER_BYTES_MAX + 1),
                        "A:" + "b".repeat(BodyDecoder.TRAILER_BYTES_MAX - 1),
                        "Ab:c\r\n".repeat(BodyDecoder.TRAILER_BYTES_MAX / 4) + "A")) {
            all.add(malformed("trailer", "1\r\nx\r\n0\r\n" + trailer, "x"));
        }
        return all;
    }

    private static String chunks(int count, String extension) {
        return ("1" + extension + "\r\nx\r\n").repeat(count) + "0\r\n\r\n";
    }

    private static Chunked valid(String what, String input, String body) {
        return new Chunked(what, input, body);
    }

    private static Chunked malformed(String what, String input, String body) {
        return new Chunked(what, input, body);
    }
}
