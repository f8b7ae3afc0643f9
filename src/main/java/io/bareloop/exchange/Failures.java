package io.bareloop.exchange;

import io.bareloop.http.HttpException;
import io.bareloop.http.MediaType;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;

/** What becomes of an exchange whose handler has failed, or whose request is none. */
final class Failures {
    private final Exchange exchange;
    private final Exchanges all;
    private final Request request;
    private final Response response;

    Failures(Exchange exchange, Exchanges all, Request request, Response response) {
        this.exchange = exchange;
        this.all = all;
        this.request = request;
        this.response = response;
    }

    /** Whatever user code throws is the matter of its request. */
    void answer(Carrier mine, Throwable failure) {
        try {
            answerOnce(mine, failure);
        } catch (Throwable again) {
            // No heap is left for an answer, as a rule. Then the connection ends.
            if (mine.transport() != null) {
                mine.transport().abort();
            }
        }
    }

    private void answerOnce(Carrier mine, Throwable failure) {
        if (exchange.carrier() == null) {
            // What failed came behind the end of the response, and how far it came is not known.
            all.report(null, failure);
            mine.transport().abort();
            return;
        }
        Status status = Status.INTERNAL_SERVER_ERROR;
        String message = null;
        if (failure instanceof HttpException answer) {
            status = answer.status();
            message = answer.getMessage();
        } else {
            mine.transport().countError();
            all.report(request, failure);
        }
        boolean aborted = !exchange.writer().takeBack();
        if (aborted) {
            // Part of the response is on its way: only the end of the connection can say so.
            mine.dropRest();
            mine.closeAfterResponse();
        } else {
            if (status.code() >= 500) {
                mine.closeAfterResponse();
            }
            writeError(status, message);
        }
        mine.transport().countRequest();
        exchange.over(aborted);
        mine.next(true);
    }

    void writeError(Status status, String message) {
        response.status(status).contentType(MediaType.TEXT).body(all.errorLine(status, message));
    }
}
