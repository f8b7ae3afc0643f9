package org.microhttp;

import java.nio.ByteBuffer;

/** Opens microhttp's parser, which is private to its package, to the benchmark. */
public final class MicrohttpHead {
    private final ByteTokenizer tokenizer = new ByteTokenizer();

    /** Parses what {@code bytes} holds as the connection of microhttp does, a parser a request. */
    public Request parse(ByteBuffer bytes) {
        tokenizer.add(bytes);
        RequestParser parser = new RequestParser(tokenizer);
        if (!parser.parse()) {
            throw new IllegalStateException("not a whole request");
        }
        tokenizer.compact();
        return parser.request();
    }
}
