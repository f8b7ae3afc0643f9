package io.bareloop.exchange;

import io.bareloop.http.ByteView;
import io.bareloop.http.Filtered;
import io.bareloop.http.Handler;
import io.bareloop.http.HttpException;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.http.StreamHandler;
import java.lang.foreign.MemorySegment;

/**
 * Who takes a request: the handler that it is routed to, and how that wants the body. The only one
 * that calls handlers; what they throw is up to the exchange.
 */
final class Taker {
    /** Of a request that a filter has answered. */
    private static final Handler ANSWERED = (request, response) -> {};

    private final Exchanges all;
    private final Request request;
    private final Response response;
    private Handler handler;
    private Handler.Intake intake = Handler.Intake.WHOLE;

    Taker(Exchanges all, Request request, Response response) {
        this.all = all;
        this.request = request;
        this.response = response;
    }

    /** A request that has no body, or all of it. */
    void answer() throws Exception {
        Handler chosen = choose();
        if (chosen != null) {
            chosen.handle(request, response);
        }
    }

    /** The handler behind all filters; null where one of these has answered. */
    private Handler choose() throws Exception {
        Handler chosen = all.application.handler().route(request);
        while (chosen instanceof Filtered filtered) {
            chosen = filtered.next(request, response);
        }
        return chosen;
    }

    /**
     * A request of which the body is to come: {@code length} bytes, or -1 where that is unknown.
     */
    void begin(long length) throws Exception {
        handler = null;
        intake = Handler.Intake.WHOLE;
        Handler chosen = choose();
        if (chosen == null) {
            intake = Handler.Intake.NONE;
            handler = ANSWERED;
            return;
        }
        intake = chosen.intake();
        handler = chosen;
        if (length > bytesMax()) {
            throw new HttpException(Status.CONTENT_TOO_LARGE, null);
        }
        if (intake == Handler.Intake.PIECES) {
            ((StreamHandler) chosen).begin(request, response);
        } else if (intake == Handler.Intake.NONE) {
            chosen.handle(request, response);
        }
    }

    /** Whether it was called for its answer, which needs no body. */
    boolean isAnswering() {
        return handler != null && intake == Handler.Intake.NONE;
    }

    boolean wantsMore() {
        return intake != Handler.Intake.NONE;
    }

    boolean wantsWhole() {
        return intake == Handler.Intake.WHOLE;
    }

    boolean wantsPieces() {
        return intake == Handler.Intake.PIECES;
    }

    long bytesMax() {
        return wantsWhole() ? all.limits.bodyBytesMax() : all.limits.streamedBytesMax();
    }

    /** The next bytes of the body, for whoever does not want it whole. */
    void take(MemorySegment in, int start, int length) throws Exception {
        if (intake == Handler.Intake.PIECES) {
            ByteView piece = all.piece(in, start, length);
            ((StreamHandler) handler).piece(request, response, piece);
            all.pieceEnded();
        }
    }

    /** The body is complete. */
    void end() throws Exception {
        if (intake == Handler.Intake.WHOLE) {
            handler.handle(request, response);
        } else if (intake == Handler.Intake.PIECES) {
            ((StreamHandler) handler).end(request, response);
        }
    }

    /** The body will not come to its end. */
    void aborted(Status refusal) {
        if (intake == Handler.Intake.PIECES && handler instanceof StreamHandler taking) {
            try {
                taking.aborted(request, refusal);
            } catch (Throwable failure) {
                all.report(request, failure);
            }
            Exchange.endUserCode();
        }
    }
}
