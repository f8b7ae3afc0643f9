package io.bareloop.http1;

/**
 * The chunked coding as RFC 9112, section 7.1, writes it down: one method for each rule of its
 * grammar, over bytes that are all there. Slow and obvious; shares nothing with {@link BodyDecoder}
 * but the house rules of its Javadoc:
 *
 * <ul>
 *   <li>a size has 15 digits at the most, and no white space behind it;
 *   <li>all extensions together have 4096 bytes at the most, from each line's first semicolon to
 *       ahead of its CRLF;
 *   <li>all trailer fields together have 8192 bytes at the most, without their CRLFs.
 * </ul>
 */
final class ReferenceBodyDecoder {
    private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";

    private final String input;
    private final StringBuilder body = new StringBuilder();
    private int at;
    private int extensionBytes;
    private int trailerBytes;

    private ReferenceBodyDecoder(String input) {
        this.input = input;
    }

    /** What becomes of {@code input}, one character a byte. */
    static DecodedBody decode(String input) {
        ReferenceBodyDecoder decoder = new ReferenceBodyDecoder(input);
        try {
            decoder.chunkedBody();
            return new DecodedBody(DecodedBody.End.DONE, decoder.at, decoder.body.toString());
        } catch (Stop stop) {
            return new DecodedBody(stop.end, decoder.at, decoder.body.toString());
        }
    }

    // chunked-body = *chunk last-chunk trailer-section CRLF
    private void chunkedBody() throws Stop {
        while (chunk()) {
            crlf();
        }
        trailerSection();
        crlf();
    }

    // chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF; last-chunk = 1*("0") [ chunk-ext ]
    // CRLF
    private boolean chunk() throws Stop {
        StringBuilder size = new StringBuilder();
        while (isHexadecimal(peek())) {
            refuseIf(size.length() == 15);
            size.append(next());
        }
        refuseIf(size.isEmpty());
        chunkExtensions();
        crlf();
        long left = Long.parseLong(size.toString(), 16);
        if (left == 0) {
            return false;
        }
        for (; left > 0; left--) {
            body.append(next());
        }
        return true;
    }

    // chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
    private void chunkExtensions() throws Stop {
        while (peek() == ';') {
            extensionByte();
            badWhitespace();
            extensionToken();
            boolean blanks = badWhitespace();
            if (peek() == '=') {
                extensionByte();
                badWhitespace();
                if (peek() == '"') {
                    quotedString();
                } else {
                    extensionToken();
                }
                blanks = badWhitespace();
            }
            refuseIf(blanks && peek() != ';');
        }
    }

    private boolean badWhitespace() throws Stop {
        boolean any = false;
        while (peek() == ' ' || peek() == '\t') {
            extensionByte();
            any = true;
        }
        return any;
    }

    private void extensionToken() throws Stop {
        refuseIf(!isToken(peek()));
        while (isToken(peek())) {
            extensionByte();
        }
    }

    // quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE; qdtext is text but for " and \
    private void quotedString() throws Stop {
        extensionByte();
        while (peek() != '"') {
            if (peek() == '\\') {
                extensionByte();
            }
            refuseIf(!isText(peek()));
            extensionByte();
        }
        extensionByte();
    }

    // trailer-section = *( field-line CRLF ); field-line = field-name ":" OWS field-value OWS
    private void trailerSection() throws Stop {
        while (peek() != '\r') {
            refuseIf(!isToken(peek()));
            while (isToken(peek())) {
                trailerByte();
            }
            refuseIf(peek() != ':');
            trailerByte();
            while (peek() != '\r') {
                refuseIf(!isText(peek()));
                trailerByte();
            }
            crlf();
        }
    }

    private void crlf() throws Stop {
        refuseIf(peek() != '\r');
        next();
        refuseIf(peek() != '\n');
        next();
    }

    private void extensionByte() throws Stop {
        extensionBytes++;
        refuseIf(extensionBytes > 4096);
        next();
    }

    private void trailerByte() throws Stop {
        trailerBytes++;
        refuseIf(trailerBytes > 8192);
        next();
    }

    private char peek() throws Stop {
        if (at == input.length()) {
            throw new Stop(DecodedBody.End.NEED_MORE);
        }
        return input.charAt(at);
    }

    private char next() throws Stop {
        char c = peek();
        at++;
        return c;
    }

    /** Refuses the byte that is next. */
    private void refuseIf(boolean wrong) throws Stop {
        if (wrong) {
            at++;
            throw new Stop(DecodedBody.End.MALFORMED);
        }
    }

    private static boolean isHexadecimal(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }

    // tchar of RFC 9110, section 5.6.2
    private static boolean isToken(char c) {
        return (c >= '0' && c <= '9')
                || (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || TOKEN_MARKS.indexOf(c) >= 0;
    }

    // HTAB / SP / VCHAR / obs-text
    private static boolean isText(char c) {
        return c == '\t' || (c >= ' ' && c <= '~') || (c >= 0x80 && c <= 0xFF);
    }

    private static final class Stop extends Exception {
        private static final long serialVersionUID = 1;

        final DecodedBody.End end;

        Stop(DecodedBody.End end) {
            super(null, null, false, false);
            this.end = end;
        }
    }
}
