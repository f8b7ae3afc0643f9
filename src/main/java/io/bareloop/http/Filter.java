package io.bareloop.http;

import java.util.List;

/**
 * Looks at requests before their handlers do: answers some, adds fields to the responses of others,
 * and lets them go on. For a whole server ({@code HttpServer.Builder.filter}), a router or a part
 * of one ({@link Router.Builder#filter}), or a single handler ({@link #before}).
 *
 * <pre>{@code
 * Filter auth = (request, response) -> {
 *     boolean asksFirst = request.method() == Method.OPTIONS;   // a browser, by CORS: has no token
 *     if (!asksFirst && !tokens.isValid(request.header(HeaderName.AUTHORIZATION))) {
 *         throw new HttpException(Status.UNAUTHORIZED, null, BEARER);   // no handler is called
 *     }
 * };
 * Filter cors = (request, response) -> response.always(ORIGIN, "*");   // on errors too
 * static final Fields BEARER = Fields.NONE.with(HeaderName.WWW_AUTHENTICATE, "Bearer");
 * static final HeaderName ORIGIN = HeaderName.ACCESS_CONTROL_ALLOW_ORIGIN;
 * }</pre>
 *
 * <p>It runs when the head of a request is there, and its body is not. Nothing is wrapped: the
 * handler behind it gets the body as it wants it, and answers when it likes. There is no "after"
 * for that reason: what is to happen once a response has been sent is for a completion listener.
 *
 * <p>What is no valid request (400, 408, 431 and the like) is refused before any filter; fields
 * that those responses are to have too are the server's ({@code HttpServer.Builder.fields}).
 */
@FunctionalInterface
public interface Filter {
    /**
     * Looks at {@code request}. It goes on to the next filter, or to its handler, if this returns
     * without having begun or suspended {@code response}. Runs on the loop: it must not block.
     *
     * @param request without its body; {@link Request#attach} hands something on to the handler
     * @param response to add fields to ({@link Response#always(HeaderName, String)
     *     Response.always}), or to answer with
     * @throws HttpException to answer with an error
     * @throws Exception anything else is answered 500
     */
    void filter(Request request, Response response) throws Exception;

    /**
     * Returns a handler of whose requests this sees the heads first.
     *
     * @param handler of any kind
     * @return a handler that takes bodies as {@code handler} does
     */
    default Handler before(Handler handler) {
        return new Filtered(List.of(this), handler);
    }
}
