package io.bareloop.http1;

import io.bareloop.exchange.Carrier;
import io.bareloop.exchange.CompletionChain;
import io.bareloop.exchange.Exchange;
import io.bareloop.http.Status;
import io.bareloop.wire.Head;
import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.lang.foreign.MemorySegment;

/**
 * HTTP/1.1 on one connection: takes requests off the front of the input and has each answered, one
 * after another. What is only needed while a request is handled belongs to {@link Http1}, the
 * loop's, or to its {@link Exchange}; what is here has to outlast the call.
 *
 * <pre>
 *   Input:   BETWEEN --first byte--> HEAD --whole--> BETWEEN     (no body)
 *                                    HEAD --whole--> BODY --whole, or refused--> BETWEEN
 *   Life:    OPEN --> DRAINING --> CLOSING or CLOSING_SLOWLY --> CLOSED
 * </pre>
 */
final class Http1Connection extends Protocol implements Carrier {
    private final Http1 http;
    private Transport transport;

    /** The request under way that did not come to its end in one call; else null. */
    private Exchange active;

    private Sending sending;
    private IncomingBody body;
    final Persistence persistence;
    private final CompletionChain completions;
    private Input input = Input.BETWEEN;
    private Life life = Life.CLOSED;

    /** Input has been left for later that is not just the beginning of a head. */
    private boolean behind;

    /** The peer has ended its sending side; what it sent before that may still be on its way. */
    private boolean hungUp;

    Http1Connection(Http1 http) {
        this.http = http;
        completions = http.exchanges.newCompletions();
        persistence = new Persistence(http.limits.requestsPerConnectionMax());
    }

    @Override
    public void open(Transport newTransport) {
        transport = newTransport;
        life = Life.OPEN;
        behind = false;
        hungUp = false;
        persistence.open();
        transport.deadline(transport.now() + http.headNanos);
    }

    @Override
    public int receive(MemorySegment in, int from, int to) {
        int at = from;
        int batch = 0;
        behind = false;
        if (input == Input.BODY || active != null) {
            at = goOn(in, at, to);
        }
        while (at < to) {
            if (mustWait()) {
                behind = true;
                return isClosing() ? to : at;
            }
            Exchange exchange = http.exchanges.next();
            Head head = exchange.head();
            int headEnd = http.parser.parse(in, at, to, head);
            if (headEnd <= 0) {
                return noHead(exchange, in, at, to, headEnd);
            }
            if (http.out.room() < Http1Writer.HEAD_BYTES_MAX && !transport.flush()) {
                behind = true;
                return at;
            }
            begin(exchange);
            if (head.hasBody()) {
                at = beginBody(exchange, in, headEnd, to);
            } else {
                at = headEnd;
                head.body(headEnd, headEnd);
                exchange.answer();
            }
            if (active != null) {
                active.endTurn();
                keepCopy();
            }
            batch++;
            if (batch == http.limits.pipelinedPerTurnMax() && at < to && !mustWait()) {
                behind = true;
                transport.deadline(transport.now() + http.idleNanos);
                transport.resume();
                return at;
            }
        }
        if (!mustWait() && input != Input.BODY) {
            transport.deadline(idleDeadline());
        }
        return isClosing() ? to : at;
    }

    /** The head is not whole, or not valid: {@code outcome} of the parser says which. */
    private int noHead(Exchange exchange, MemorySegment in, int at, int to, int outcome) {
        http.exchanges.noHead(this, in, at, to);
        if (outcome == RequestParser.NEED_MORE) {
            if (input != Input.HEAD) {
                input = Input.HEAD;
                transport.deadline(transport.now() + http.headNanos);
            }
            return at;
        }
        refuseHead(exchange, Status.of(-outcome));
        return to;
    }

    /** As {@link #receive}, where a request has begun in a call before. */
    private int goOn(MemorySegment in, int from, int to) {
        if (active != null) {
            active.later().input();
        }
        try {
            return input == Input.BODY ? body.receive(in, from, to) : behindBody(from, to);
        } finally {
            if (active != null) {
                active.endTurn();
            }
        }
    }

    boolean isClosing() {
        return life.isClosing();
    }

    @Override
    public boolean isDraining() {
        return life == Life.DRAINING;
    }

    /** Until when the next request may begin; what has been received already still comes first. */
    private long idleDeadline() {
        return isDraining() && !behind ? transport.now() : transport.now() + http.idleNanos;
    }

    /** Whether what comes next in the input has to wait: it is not looked at before resume. */
    private boolean mustWait() {
        if (isClosing()) {
            return true;
        }
        if (isSending() || (active != null && input != Input.BODY)) {
            transport.pause();
            return true;
        }
        return input == Input.BODY || transport.unsentBytes() > 0;
    }

    private void begin(Exchange exchange) {
        input = Input.BETWEEN;
        persistence.begin(exchange.head(), life != Life.OPEN);
        take(exchange);
    }

    private void take(Exchange exchange) {
        exchange.begin(this);
        ((Http1Writer) exchange.writer()).start(this);
    }

    // ---- the rare ways on: failures

    /** Answers what is no valid request, and closes: where the next one begins is not known. */
    private void refuseHead(Exchange exchange, Status status) {
        input = Input.BETWEEN;
        exchange.head().standIn();
        take(exchange);
        refuse(exchange, status);
    }

    void refuse(Exchange exchange, Status status) {
        exchange.refuse(status);
        close(true);
    }

    // ---- bodies

    /** A request with a body: finds out who wants it, and how; takes what is there of it. */
    private int beginBody(Exchange exchange, MemorySegment in, int headEnd, int to) {
        active = exchange;
        input = Input.BODY;
        exchange.head().body(headEnd, headEnd);
        body().begin(exchange, transport.now());
        exchange.beginBody();
        body.begun(exchange, headEnd < to);
        return body.receive(in, headEnd, to);
    }

    private IncomingBody body() {
        body = body != null ? body : new IncomingBody(http, this);
        return body;
    }

    /** Whose body is to come; null where it is only skipped. */
    Exchange active() {
        return active;
    }

    /** Nothing more of the body is taken. */
    void bodyLeft() {
        input = Input.BETWEEN;
    }

    /** The body has come to its end. */
    void bodyEnded() {
        input = Input.BETWEEN;
        if (active != null) {
            active.bodyEnded();
        }
    }

    /** A part of the input has been taken up to {@code at}. */
    int behindBody(int at, int to) {
        awaitBody();
        if (isClosing()) {
            return to;
        }
        if (active != null) {
            keepCopy();
        }
        return at;
    }

    /** Sets the deadline of a body that is still to come. */
    private void awaitBody() {
        if (input == Input.BODY && !isClosing()) {
            transport.deadline(body.deadline());
        }
    }

    /** The request outlasts the buffer, which is about to be used for something else. */
    private void keepCopy() {
        if (!active.keepCopy()) {
            body().failed(Status.SERVICE_UNAVAILABLE);
        }
    }

    // ---- what its exchange asks for

    @Override
    public Transport transport() {
        return transport;
    }

    @Override
    public void keep(Exchange exchange) {
        active = exchange;
        transport.deadline(exchange.dueNanos());
    }

    @Override
    public boolean carries(Exchange exchange) {
        return exchange == active && !isClosing();
    }

    @Override
    public CompletionChain completions() {
        return completions;
    }

    @Override
    public boolean awaitsBody() {
        return input == Input.BODY;
    }

    @Override
    public void pauseBody(Exchange exchange) {
        if (input == Input.BODY && exchange == active && !isClosing()) {
            body.pause();
        }
    }

    @Override
    public void resumeBody(Exchange exchange) {
        if (input == Input.BODY && exchange == active && body.isPaused()) {
            body.resume(exchange);
        }
    }

    @Override
    public boolean forget(Exchange exchange) {
        boolean wasActive = exchange == active;
        active = null;
        if (input == Input.BODY && transport != null) {
            body.skip();
        }
        return wasActive;
    }

    @Override
    public void next(boolean failed) {
        if (!persistence.goesOn() || isDraining()) {
            // A client that expects to go on may have sent its next request by now.
            close(failed || input == Input.BODY || !persistence.isLastOfClient());
        }
    }

    @Override
    public void turnEnded() {
        // Closing may have come to its end in the turn already.
        if (transport != null) {
            transport.flush();
            awaitBody();
            afterResponse();
        }
    }

    /** Where a response has ended outside receive, the connection goes on with the next request. */
    private void afterResponse() {
        if (active == null && !isSending() && !isClosing()) {
            if (input != Input.BODY) {
                transport.deadline(idleDeadline());
            }
            transport.resume();
        }
    }

    @Override
    public void closeAfterResponse() {
        persistence.end();
    }

    // ---- what its writer asks for

    /** A response begins: it is decided whether the connection outlives it. */
    void beginResponse() {
        if (isDraining() || (input == Input.BODY && body.mayBeLeft())) {
            persistence.end();
        }
    }

    /** Sends as much of its rest as goes now; what is left follows from {@link #writable}. */
    void sendRest(Exchange exchange) {
        sending = sending != null ? sending : new Sending();
        sending.begin(exchange, transport);
    }

    /** Whether something that was written last is not all in the buffer yet. */
    boolean isSending() {
        return sending != null && sending.isPending();
    }

    @Override
    public void dropRest() {
        if (isSending()) {
            sending.drop();
        }
    }

    // ---- what the engine tells

    @Override
    public void sent() {
        http.exchanges.sending(this);
    }

    @Override
    public void writable() {
        http.exchanges.sending(this);
        if (isSending()) {
            if (!sending.goesOn(transport, http.exchanges)) {
                // Only the end can say so; no reset, which would take along what came before.
                life = Life.CLOSING_SLOWLY;
            }
            // Sending may have found that the connection is gone.
            if (isSending() || life == Life.CLOSED) {
                return;
            }
            if (isClosing()) {
                transport.closeWhenSent(life == Life.CLOSING_SLOWLY);
                return;
            }
        }
        Exchange exchange = active;
        if (exchange != null && exchange.later().writable()) {
            return;
        }
        if (exchange != null && input != Input.BODY) {
            exchange.stayOpen();
        } else {
            // The deadline so far was for sending.
            awaitBody();
            afterResponse();
        }
    }

    @Override
    public void hungUp() {
        hungUp = true;
        if (active != null) {
            active.later().tellOfHalfClose();
            if (input == Input.BODY) {
                body.hungUp();
                awaitBody();
            }
        }
    }

    @Override
    public boolean hasHungUp() {
        return hungUp;
    }

    @Override
    public void endOfInput() {
        if (input == Input.BODY && active != null) {
            // Half a body: there is no request to answer.
            active.bodyAborted(null);
            active.abort();
            close(false);
        } else if (active != null || isSending()) {
            // The peer has shut down its sending side only: what it asked for still goes out.
            persistence.end();
            hungUp();
        } else {
            close(false);
        }
    }

    @Override
    public void expired() {
        Exchange exchange = active;
        if (input == Input.BODY && exchange != null && body.isOverdue()) {
            exchange.writer().seal();
            body.failed(Status.REQUEST_TIMEOUT);
        } else if (exchange != null) {
            exchange.later().due();
        } else if (input == Input.HEAD) {
            // What it parsed last may have been another connection's.
            http.exchanges.next().head().clear();
            refuseHead(http.exchanges.next(), Status.REQUEST_TIMEOUT);
        } else {
            // A response whose body still comes must not be lost to a reset.
            close(input == Input.BODY);
        }
    }

    @Override
    public void drain() {
        if (life == Life.OPEN) {
            life = Life.DRAINING;
        }
        if (active != null) {
            active.later().tellOfDrain();
        }
        boolean atWork = input != Input.BETWEEN || behind || active != null || isSending();
        if (!atWork && persistence.hasHadRequests()) {
            close(false);
        } else if (!atWork) {
            // Just accepted: its first request may be on the way, and would be lost.
            transport.deadline(transport.now() + Http1.FIRST_REQUEST_NANOS);
        }
    }

    void close(boolean linger) {
        if (!isClosing()) {
            life = linger ? Life.CLOSING_SLOWLY : Life.CLOSING;
            if (!isSending()) {
                transport.closeWhenSent(linger);
            }
        }
    }

    @Override
    public void closed() {
        Exchange exchange = active;
        http.exchanges.endTurn();
        try {
            if (exchange != null) {
                // What its code writes from here on goes nowhere: the output buffer is another's.
                exchange.loseTurn();
                if (input == Input.BODY) {
                    exchange.bodyAborted(null);
                }
                exchange.abort();
            }
        } finally {
            // Where a call of receive is at work on this, it has nothing more to do.
            active = null;
            input = Input.BETWEEN;
            life = Life.CLOSED;
            dropRest();
            http.exchanges.closed(this);
            transport = null;
        }
    }
}
