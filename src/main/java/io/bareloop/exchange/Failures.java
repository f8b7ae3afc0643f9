package io.bareloop.exchange;

import io.bareloop.http.ErrorHandler;
import io.bareloop.http.ExceptionHandler;
import io.bareloop.http.HttpException;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.wire.Writer;

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
            all.report(null, again);
            if (mine.transport() != null) {
                mine.transport().abort();
            }
        }
    }

    private void answerOnce(Carrier mine, Throwable failure) {
        if (exchange.carrier() == null) {
            // What failed came behind the end of the response, and how far it came is not known.
            all.report(null, failure);
            if (mine.transport() != null) {
                mine.transport().abort();
            }
            return;
        }
        boolean defect = !(failure instanceof HttpException);
        ExceptionHandler<?> handler = defect ? all.application.errors().find(failure) : null;
        boolean last = defect || ((HttpException) failure).isLast();
        boolean answered = exchange.writer().takeBack();
        if (defect) {
            mine.transport().countError();
            if (handler == null || !answered) {
                // Where it is too late for that handler, nobody else would hear of it.
                all.report(request(), failure);
            }
        }
        if (answered) {
            if (last) {
                mine.closeAfterResponse();
            }
            answered =
                    defect ? answerDefect(handler, failure) : answerError((HttpException) failure);
        }
        boolean aborted = !answered;
        if (aborted) {
            // Part of the response is on its way: only the end of the connection can say so.
            mine.dropRest();
            mine.closeAfterResponse();
        }
        mine.transport().countRequest();
        exchange.over(aborted);
        mine.next(defect || aborted);
    }

    /** Returns false where part of a response is on its way that will not be whole. */
    private boolean answerDefect(ExceptionHandler<?> handler, Throwable failure) {
        HttpException error = HttpException.of(Status.INTERNAL_SERVER_ERROR);
        if (handler != null) {
            try {
                response.defaultStatus(error.status());
                handle(handler, failure);
                if (isWhole()) {
                    return true;
                }
            } catch (HttpException another) {
                error = another;
            } catch (Throwable again) {
                all.report(request(), again);
            }
            if (!exchange.writer().takeBack()) {
                return false;
            }
        }
        return answerError(error);
    }

    @SuppressWarnings("unchecked") // it was found by the class of the failure
    private <T extends Throwable> void handle(ExceptionHandler<T> handler, Throwable failure)
            throws Exception {
        handler.handle(request(), response, (T) failure);
    }

    /** Answers with what the application has for the error, or the server; returns as above. */
    private boolean answerError(HttpException error) {
        addFields(error);
        ErrorHandler handler = all.application.errors().find(error.status().code());
        if (handler != null) {
            try {
                response.defaultStatus(error.status());
                handler.handle(request(), response, error);
                if (isWhole()) {
                    return true;
                }
            } catch (Throwable failure) {
                all.report(request(), failure);
            }
            if (!exchange.writer().takeBack()) {
                return false;
            }
        }
        error.answer(request(), response);
        return true;
    }

    private void addFields(HttpException error) {
        try {
            response.always(error.fields());
        } catch (IllegalStateException tooMany) {
            // The error itself is worth more than what it says beside.
            all.report(request(), tooMany);
        }
    }

    /** Whether the response has come to its end; one of which the fields are there does so here. */
    private boolean isWhole() {
        if (exchange.writer().state() == Writer.State.FIELDS) {
            exchange.writer().finish();
        }
        return exchange.writer().hasEnded();
    }

    /** Answers what cannot be taken any further, with {@code status}; returns as above. */
    boolean refuse(Status status) {
        return answerError(HttpException.of(status));
    }

    /** What those who answer may look at: another thread may be at work with the request itself. */
    private Request request() {
        return exchange.isRetained() ? all.standIn() : request;
    }
}
