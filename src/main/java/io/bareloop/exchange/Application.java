package io.bareloop.exchange;

import io.bareloop.http.CompletionListener;
import io.bareloop.http.Compression;
import io.bareloop.http.FailureListener;
import io.bareloop.http.Fields;
import io.bareloop.http.Handler;
import io.bareloop.wire.Networks;

/**
 * What an application has given a server: what answers requests, and what hears of them.
 *
 * @param handler answers the requests of one loop, on its thread
 * @param fields of all responses
 * @param errors what is answered in the place of the server's errors
 * @param compression of bodies; null where there is none
 * @param failures is told of what user code has thrown, on the loop's thread
 * @param proxies may say on whose behalf they ask
 * @param completions hears of the requests of one loop that have come to their end; or null
 */
public record Application(
        Handler handler,
        Fields fields,
        ErrorHandlers errors,
        Compression compression,
        FailureListener failures,
        Networks proxies,
        CompletionListener completions) {
    /** An application without more than a handler. */
    public static Application of(Handler handler, FailureListener failures) {
        return new Application(
                handler, Fields.NONE, ErrorHandlers.NONE, null, failures, Networks.NONE, null);
    }
}
