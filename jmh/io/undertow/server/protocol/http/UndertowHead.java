package io.undertow.server.protocol.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.BadRequestException;
import java.nio.ByteBuffer;
import org.xnio.OptionMap;

/** Opens Undertow's parser, which is private to its package, to the benchmark. */
public final class UndertowHead {
    private final RequestParser parser = RequestParser.instance(OptionMap.EMPTY);
    private final RequestState state = new RequestState();

    /** Parses what {@code bytes} holds as Undertow's read listener does: an exchange a request. */
    public HttpServerExchange parse(ByteBuffer bytes) {
        HttpServerExchange exchange = new HttpServerExchange(null);
        state.reset();
        try {
            parser.handle(bytes, state, exchange);
        } catch (BadRequestException e) {
            throw new IllegalStateException(e);
        }
        if (!state.isComplete()) {
            throw new IllegalStateException("not a whole request");
        }
        return exchange;
    }
}
