package io.bareloop.http;

import java.lang.foreign.MemorySegment;

/**
 * HTTP/1.1 on one connection: takes requests off the front of the input and appends a response for
 * each. What is only needed while a request is handled belongs to {@link Http1}, the loop's; what
 * is here has to outlast the call.
 *
 * <pre>
 *                      +-------- no body, or all of it there, and answered ---------+
 *                      v                                                            |
 *   open --> between requests --> head --> body: whole, in pieces, or skipped --> answer
 *                                                          active != null ---------------
 * </pre>
 */
final class HttpConnection implements Protocol {
    /** What is read and discarded of a body that its handler did not wait for. */
    static final int SKIPPED_BYTES_MAX = 256 << 10;

    /** For how long a drain waits for the first request of a new connection. */
    private static final long FIRST_REQUEST_NANOS = 1_000_000_000L;

    private static final long NANOS_PER_BODY_BYTE =
            1_000_000_000L / Timeouts.BODY_BYTES_PER_SECOND_MIN;

    private static final Encoded CONTINUE = Encoded.ascii("HTTP/1.1 100 Continue\r\n\r\n");

    private final Http1 http;

    private Transport transport;

    /** The request under way that did not come to its end in one call; else null. */
    private Exchange active;

    private Handler target;

    /** The body of the request at hand, or of one that was answered before its body ended. */
    private final BodyDecoder body = new BodyDecoder();

    private boolean inBody;
    private long bodyBytes;
    private long bodyStartNanos;
    private long tickDueNanos;

    /** The head of a request has begun and not ended; its deadline is set. */
    private boolean inHead;

    /** Input has been left for later that is not just the beginning of a head. */
    private boolean behind;

    private boolean keepAlive;

    /** The client has said that this request is its last. */
    private boolean lastOfClient;

    private boolean oweContinue;
    private boolean flushed;
    private boolean closing;
    private boolean lingers;
    private boolean draining;
    private long requests;

    // What is left of a body that is larger than the output buffer.
    private MemorySegment rest;
    private long restAt;
    private long restEnd;

    /** Where the rest is of a file; then {@link #rest} is only not null. */
    private FileBody restFile;

    /** The same for an array: a segment of it would be an object for each response. */
    private byte[] restArray;

    HttpConnection(Http1 http) {
        this.http = http;
    }

    @Override
    public void open(Transport newTransport) {
        transport = newTransport;
        inHead = false;
        inBody = false;
        behind = false;
        oweContinue = false;
        closing = false;
        lingers = false;
        draining = false;
        requests = 0;
        transport.deadline(transport.now() + http.headNanos);
    }

    @Override
    public int receive(MemorySegment in, int from, int to) {
        int at = from;
        int batch = 0;
        behind = false;
        if (inBody || active != null) {
            at = goOn(in, at, to);
        }
        while (at < to) {
            if (mustWait()) {
                behind = true;
                return closing ? to : at;
            }
            Exchange exchange = http.exchange();
            Request request = exchange.request;
            int headEnd = http.parser.parse(in, at, to, request);
            if (headEnd <= 0) {
                if (headEnd == RequestParser.NEED_MORE) {
                    awaitRestOfHead();
                    return at;
                }
                refuse(exchange, Status.of(-headEnd));
                return to;
            }
            if (http.out.room() < Response.HEAD_BYTES_MAX && !flush()) {
                behind = true;
                return at;
            }
            begin(exchange);
            if (request.contentLength > 0 || request.says(Request.CHUNKED)) {
                at = receiveBody(in, beginBody(exchange, headEnd, to), to);
            } else {
                at = headEnd;
                request.body(headEnd, headEnd);
                handle(http.handler, exchange);
            }
            if (active != null) {
                active.turn = Exchange.NOBODY;
                moveToSlice();
            }
            batch++;
            if (batch == http.limits.pipelinedPerTurnMax() && at < to && !mustWait()) {
                behind = true;
                transport.deadline(transport.now() + http.idleNanos);
                transport.resume();
                return at;
            }
        }
        if (!mustWait() && !inBody) {
            transport.deadline(idleDeadline());
        }
        return closing ? to : at;
    }

    /** As {@link #receive}, where a request has begun in a call before. */
    private int goOn(MemorySegment in, int from, int to) {
        // What was written in a call before is on its way.
        flushed = true;
        if (active != null) {
            active.turn = Thread.currentThread().threadId();
            runDeferred(active);
        }
        try {
            return receiveBody(in, from, to);
        } finally {
            if (active != null) {
                active.turn = Exchange.NOBODY;
            }
        }
    }

    private void runDeferred(Exchange exchange) {
        try {
            exchange.runDeferred();
            if (exchange.response.hasEnded()) {
                end(exchange);
            }
        } catch (Throwable failure) {
            handlerFailed(exchange, failure);
        }
        endUserCode();
    }

    /** Until when the next request may begin; what has been received already still comes first. */
    private long idleDeadline() {
        return draining && !behind ? transport.now() : transport.now() + http.idleNanos;
    }

    /** Whether what comes next in the input has to wait: it is not looked at before resume. */
    private boolean mustWait() {
        if (closing) {
            return true;
        }
        if (rest != null || (active != null && !inBody)) {
            transport.pause();
            return true;
        }
        return inBody || transport.unsentBytes() > 0;
    }

    private void begin(Exchange exchange) {
        Request request = exchange.request;
        inHead = false;
        oweContinue = false;
        target = null;
        tickDueNanos = Transport.NEVER;
        exchange.connection = this;
        exchange.turn = Thread.currentThread().threadId();
        http.thread = exchange.turn;
        requests++;
        lastOfClient =
                request.says(Request.CLOSES)
                        || (request.minorVersion == 0 && !request.says(Request.KEEPS_ALIVE));
        keepAlive = !lastOfClient && !draining && requests < http.limits.requestsPerConnectionMax();
        exchange.response.start(request.method == Method.HEAD);
    }

    /** Has {@code handler} answer, and does what follows from how it returned. */
    private void handle(Handler handler, Exchange exchange) {
        try {
            handler.handle(exchange.request, exchange.response);
            handlerReturned(exchange);
        } catch (Throwable failure) {
            handlerFailed(exchange, failure);
        }
        endUserCode();
    }

    /** An interrupt that a handler was given, or gave itself, is not the next one's. */
    private static void endUserCode() {
        Thread.interrupted();
    }

    private void handlerReturned(Exchange exchange) {
        Response response = exchange.response;
        if (response.isOpen()) {
            stayOpen(exchange);
            return;
        }
        if (!response.hasBegun()) {
            throw new IllegalStateException("the handler returned without a response");
        }
        response.finish();
        end(exchange);
    }

    /** The response has ended. */
    private void end(Exchange exchange) {
        transport.countRequest();
        release(exchange, false);
        if (!keepAlive || draining) {
            // A client that expects to go on may have sent its next request by now.
            close(inBody || !lastOfClient);
        }
    }

    private void release(Exchange exchange, boolean aborted) {
        boolean wasActive = exchange == active;
        active = null;
        exchange.serial++;
        exchange.turn = Exchange.NOBODY;
        exchange.forgetDeferred();
        exchange.connection = null;
        exchange.response.expire(aborted);
        if (inBody) {
            // From here on the rest of the body is skipped, which has bounds of its own.
            bodyBytes = 0;
            bodyStartNanos = transport.now();
        }
        if (wasActive || exchange.outlived || exchange.slice != null || Checks.ENABLED) {
            // Its request is over too, unless another thread still reads it. And others may know
            // it, where it was suspended, however short a time.
            http.release(exchange);
        } else {
            exchange.request.end();
        }
    }

    // ---- the rare ways on: failures

    /** Whatever user code throws is the matter of its request. */
    private void handlerFailed(Exchange exchange, Throwable failure) {
        try {
            answerFailure(exchange, failure);
        } catch (Throwable again) {
            // No heap is left for an answer, as a rule. Then the connection ends.
            if (transport != null) {
                transport.abort();
            }
        }
    }

    private void answerFailure(Exchange exchange, Throwable failure) {
        if (exchange.connection != this) {
            // What failed came behind the end of the response, and how far it came is not known.
            http.report(failure);
            transport.abort();
            return;
        }
        Response response = exchange.response;
        Status status = Status.INTERNAL_SERVER_ERROR;
        String message = null;
        if (failure instanceof HttpException answer) {
            status = answer.status();
            message = answer.getMessage();
        } else {
            transport.countError();
            http.report(failure);
        }
        boolean aborted = !response.takeBack();
        if (aborted) {
            // Part of the response is on its way: only the end of the connection can say so.
            dropRest();
            keepAlive = false;
        } else {
            keepAlive &= status.code() < 500;
            writeError(response, status, message);
        }
        transport.countRequest();
        release(exchange, aborted);
        if (!keepAlive) {
            close(true);
        }
    }

    /** Answers what is no valid request, and closes: where the next one begins is not known. */
    private void refuse(Exchange exchange, Status status) {
        transport.countError();
        transport.countRequest();
        keepAlive = false;
        inBody = false;
        exchange.connection = this;
        exchange.turn = Thread.currentThread().threadId();
        exchange.response.start(exchange.request.method == Method.HEAD);
        if (http.out.room() >= Response.HEAD_BYTES_MAX || flush()) {
            writeError(exchange.response, status, null);
        }
        release(exchange, exchange == active);
        close(true);
    }

    private void writeError(Response response, Status status, String message) {
        response.status(status).contentType(MediaType.TEXT).body(http.errorText(status, message));
    }

    // ---- heads that come in pieces

    private void awaitRestOfHead() {
        if (!inHead) {
            inHead = true;
            transport.deadline(transport.now() + http.headNanos);
        }
    }

    // ---- bodies

    /** A request with a body: finds out who wants it, and how. Returns {@code headEnd}. */
    private int beginBody(Exchange exchange, int headEnd, int to) {
        Request request = exchange.request;
        active = exchange;
        inBody = true;
        bodyBytes = 0;
        bodyStartNanos = transport.now();
        oweContinue = request.says(Request.EXPECTS_CONTINUE);
        request.body(headEnd, headEnd);
        if (request.says(Request.CHUNKED)) {
            body.startChunked();
        } else {
            body.startLength(request.contentLength);
        }
        try {
            target = http.handler.route(request);
            if (request.contentLength > bodyBytesMax()) {
                throw new HttpException(Status.CONTENT_TOO_LARGE, null);
            }
            if (target instanceof StreamHandler handler) {
                handler.begin(request, exchange.response);
                if (exchange.response.hasEnded()) {
                    end(exchange);
                    return headEnd;
                }
            }
        } catch (Throwable failure) {
            handlerFailed(exchange, failure);
            return headEnd;
        } finally {
            endUserCode();
        }
        // Where the body has begun to come nobody waits.
        if (oweContinue && headEnd == to && !exchange.response.hasBegun()) {
            if (http.out.room() < CONTINUE.length()) {
                flush();
            }
            http.out.put(CONTINUE);
        }
        oweContinue = false;
        return headEnd;
    }

    private long bodyBytesMax() {
        if (active == null) {
            return SKIPPED_BYTES_MAX;
        }
        return target instanceof StreamHandler
                ? http.limits.streamedBytesMax()
                : http.limits.bodyBytesMax();
    }

    /** Goes on with the body; returns the index behind what was taken of it. */
    private int receiveBody(MemorySegment in, int from, int to) {
        int at = from;
        while (inBody && !closing && !body.isDone() && at < to && transport.unsentBytes() == 0) {
            at = body.decode(in, at, to);
            int length = body.pieceEnd() - body.pieceStart();
            bodyBytes += length;
            if (body.isMalformed()) {
                bodyFailed(Status.BAD_REQUEST);
            } else if (bodyBytes > bodyBytesMax()) {
                bodyFailed(Status.CONTENT_TOO_LARGE);
            } else if (length > 0 && active != null) {
                takePiece(in, body.pieceStart(), length);
            }
        }
        if (inBody && body.isDone()) {
            inBody = false;
            if (active != null) {
                bodyEnded(active);
            }
        } else {
            awaitBody();
        }
        if (closing) {
            return to;
        }
        if (active != null) {
            moveToSlice();
        }
        return at;
    }

    /** Sets the deadline of a body that is still to come. */
    private void awaitBody() {
        if (inBody && !closing) {
            transport.deadline(
                    bodyStartNanos
                            + http.bodyNanos
                            + Math.min(bodyBytes, 1L << 40) * NANOS_PER_BODY_BYTE);
        }
    }

    private void takePiece(MemorySegment in, int start, int length) {
        Exchange exchange = active;
        if (target instanceof StreamHandler handler) {
            try {
                ByteView piece = http.piece().set(in, start, length);
                handler.piece(exchange.request, exchange.response, piece);
                piece.expire();
                if (exchange.response.hasEnded()) {
                    end(exchange);
                }
            } catch (Throwable failure) {
                handlerFailed(exchange, failure);
            }
            endUserCode();
        } else {
            collect(exchange, in, start, length);
        }
    }

    /** Puts a piece behind what there is of the body: in place, or in the exchange's slice. */
    private void collect(Exchange exchange, MemorySegment in, int start, int length) {
        Request request = exchange.request;
        if (exchange.slice == null) {
            // Still where it was received. Chunks close ranks: what is between has been decoded.
            int end = request.bodyEnd();
            if (end != start) {
                MemorySegment.copy(in, start, in, end, length);
            }
            request.body(request.bodyStart(), end + length);
            return;
        }
        if (!reserve(exchange, exchange.sliceBytes + length)) {
            bodyFailed(Status.SERVICE_UNAVAILABLE);
            return;
        }
        MemorySegment.copy(in, start, exchange.slice.segment(), exchange.sliceBytes, length);
        exchange.sliceBytes += length;
        request.body(request.bodyStart(), exchange.sliceBytes);
    }

    private void bodyEnded(Exchange exchange) {
        try {
            if (target instanceof StreamHandler handler) {
                handler.end(exchange.request, exchange.response);
            } else {
                target.handle(exchange.request, exchange.response);
            }
            handlerReturned(exchange);
        } catch (Throwable failure) {
            handlerFailed(exchange, failure);
        }
        endUserCode();
    }

    /** The body cannot be taken any further. */
    private void bodyFailed(Status status) {
        Exchange exchange = active;
        inBody = false;
        if (exchange == null) {
            // It was only being skipped; its response has been sent.
            close(true);
            return;
        }
        abortHandler(exchange);
        if (exchange.response.takeBack()) {
            refuse(exchange, status);
        } else {
            transport.countError();
            transport.countRequest();
            dropRest();
            release(exchange, true);
            close(true);
        }
    }

    private void abortHandler(Exchange exchange) {
        if (target instanceof StreamHandler handler) {
            try {
                handler.aborted(exchange.request);
            } catch (Throwable failure) {
                http.report(failure);
            }
            endUserCode();
        }
    }

    // ---- requests that outlast the call in which they were received

    /** The response goes on after its handler has returned. */
    private void stayOpen(Exchange exchange) {
        active = exchange;
        exchange.outlived = true;
        if (exchange.response.tickAction() != null && tickDueNanos == Transport.NEVER) {
            tickDueNanos = transport.now() + exchange.response.tickNanos();
        }
        transport.deadline(tickDueNanos);
        if (draining) {
            tellOfDrain(exchange);
        }
    }

    /** Has a response that is still open, and wants to know, hear that the server is draining. */
    private void tellOfDrain(Exchange exchange) {
        if (exchange.response.hearsOfDrain()) {
            long serial = exchange.serial;
            // As a turn of its own: what calls this may be in the middle of a handler's.
            transport.execute(
                    () -> {
                        Runnable action = exchange.response.takeDrainAction();
                        if (exchange.serial == serial && action != null) {
                            resumed(exchange, (request, response) -> action.run());
                        }
                    });
        }
    }

    /** Copies the request out of the buffer, which is about to be used for something else. */
    private void moveToSlice() {
        if (!moveToSlice(active)) {
            bodyFailed(Status.SERVICE_UNAVAILABLE);
        }
    }

    /** Another thread is going to read the request: first it gets memory that stays. */
    void retain(Exchange exchange) {
        if (!moveToSlice(exchange)) {
            throw new HttpException(Status.SERVICE_UNAVAILABLE, null);
        }
        exchange.retained = true;
    }

    /** Whether the request is in a slice now; false where the slab has none. */
    private boolean moveToSlice(Exchange exchange) {
        if (exchange.slice != null) {
            return true;
        }
        Request request = exchange.request;
        int length = request.bodyEnd() - request.base();
        exchange.sliceBytes = 0;
        if (!reserve(exchange, length)) {
            return false;
        }
        MemorySegment.copy(request.segment(), request.base(), exchange.slice.segment(), 0, length);
        exchange.sliceBytes = length;
        request.move(exchange.slice.segment(), 0);
        http.handOver(exchange);
        return true;
    }

    /** Sees to it that the slice has room for {@code bytes}; false where the slab has none. */
    private boolean reserve(Exchange exchange, int bytes) {
        Slab.Slice old = exchange.slice;
        if (old != null && old.length() >= bytes) {
            return true;
        }
        Slab.Slice slice = http.slab.take(bytes);
        if (slice == null) {
            return false;
        }
        if (old != null) {
            MemorySegment.copy(old.segment(), 0, slice.segment(), 0, exchange.sliceBytes);
            http.slab.give(old);
            exchange.request.move(slice.segment(), 0);
        }
        exchange.slice = slice;
        return true;
    }

    /** Runs what another thread has sent for {@code exchange}. */
    void resumed(Exchange exchange, Handler action) {
        if (exchange != active || closing) {
            return;
        }
        try {
            proceed(action, null, exchange);
        } catch (VirtualMachineError | LinkageError error) {
            // Where an event is at work its loop sees to this; here it is a task of ours.
            http.report(error);
            if (transport != null) {
                transport.abort();
            }
        }
    }

    /** Runs a later part of a handler, one of the two, outside receive. */
    private void proceed(Handler action, Runnable simpleAction, Exchange exchange) {
        // What was written in a call before is on its way.
        flushed = true;
        exchange.turn = Thread.currentThread().threadId();
        try {
            exchange.runDeferred();
            if (exchange.response.hasEnded()) {
                // By one of those: there is nothing left for this action.
                endUserCode();
            } else if (action != null) {
                action.handle(exchange.request, exchange.response);
            } else {
                simpleAction.run();
            }
            if (!inBody) {
                handlerReturned(exchange);
            } else if (exchange.response.hasEnded()) {
                end(exchange);
            }
        } catch (Throwable failure) {
            handlerFailed(exchange, failure);
        } finally {
            exchange.turn = Exchange.NOBODY;
            endUserCode();
        }
        // Closing may have come to its end in here already.
        if (transport != null) {
            flush();
            awaitBody();
            afterResponse();
        }
    }

    /** Where a response has ended outside receive, the connection goes on with the next request. */
    private void afterResponse() {
        if (active == null && rest == null && !closing) {
            if (!inBody) {
                transport.deadline(idleDeadline());
            }
            transport.resume();
        }
    }

    // ---- what responses ask for

    Transport transport() {
        return transport;
    }

    boolean keepsAlive() {
        return keepAlive;
    }

    /** A response begins: it is decided whether the connection outlives it. */
    void beginResponse() {
        flushed = false;
        // A client that waits for "100 Continue" may send its body or not: what comes next could be
        // either. And more than is worth discarding ends the connection too.
        if (inBody && (oweContinue || body.left() > SKIPPED_BYTES_MAX)) {
            keepAlive = false;
        }
        keepAlive &= !draining;
    }

    void closeAfterResponse() {
        keepAlive = false;
    }

    int unsentBytes() {
        return transport.unsentBytes() + http.out.position();
    }

    boolean flush() {
        flushed = true;
        return transport.flush();
    }

    boolean hasFlushed() {
        return flushed;
    }

    /** Sends as much as the kernel takes; the rest follows from {@link #writable}. */
    void sendLarge(byte[] bytes) {
        rest = MemorySegment.NULL;
        restArray = bytes;
        restAt = 0;
        restEnd = bytes.length;
        sendRest();
    }

    /** Sends as much as goes now; the rest follows from {@link #writable}. */
    void sendLarge(MemorySegment bytes, long offset, long length) {
        rest = bytes;
        restAt = offset;
        restEnd = offset + length;
        try {
            sendRest();
        } catch (RuntimeException | Error refused) {
            // Nothing was sent, and nothing will be: its memory is closed, or another thread's.
            rest = null;
            throw refused;
        }
    }

    /** Sends as much of a file as goes now; the rest follows from {@link #writable}. */
    void sendFile(FileBody file, long offset, long length) {
        rest = MemorySegment.NULL;
        restFile = file;
        restAt = offset;
        restEnd = offset + length;
        try {
            sendRestOfFile();
        } catch (RuntimeException | Error refused) {
            // Nothing was sent, and nothing will be: the file stays the caller's.
            restFile = null;
            rest = null;
            throw refused;
        }
    }

    private void sendRestOfFile() {
        restAt += transport.sendFile(restFile, restAt, restEnd - restAt);
        flushed = true;
        if (restAt == restEnd) {
            dropRest();
        }
    }

    /** Whether something that was written last is not all in the buffer yet. */
    boolean hasRest() {
        return rest != null;
    }

    void dropRest() {
        rest = null;
        restArray = null;
        FileBody file = restFile;
        if (file != null) {
            restFile = null;
            try {
                file.release();
            } catch (Throwable failure) {
                http.report(failure);
            }
        }
    }

    private void sendRest() {
        if (restFile != null) {
            sendRestOfFile();
            return;
        }
        if (rest.isNative() && restArray == null) {
            restAt += transport.sendMemory(rest, restAt, restEnd - restAt);
            flushed = true;
            if (restAt == restEnd) {
                rest = null;
            }
            return;
        }
        // The kernel cannot be pointed at an array, which moves.
        while (rest != null) {
            int piece = (int) Math.min(http.out.room(), restEnd - restAt);
            if (restArray != null) {
                http.out.put(restArray, (int) restAt, piece);
            } else {
                http.out.put(rest, restAt, piece);
            }
            restAt += piece;
            if (restAt == restEnd) {
                dropRest();
            } else if (!flush()) {
                return;
            }
        }
    }

    /** As {@link #sendRest}, where the handler has long returned. */
    private void sendRestOrClose() {
        try {
            sendRest();
        } catch (Throwable failure) {
            // Its memory was closed before it was sent, or its file's own code has failed. Only
            // the end of the connection can say so.
            transport.countError();
            http.report(failure);
            dropRest();
            keepAlive = false;
            closing = true;
            // What came before it may still be on its way: a reset would take that along.
            lingers = true;
        }
        endUserCode();
    }

    // ---- what the engine tells

    @Override
    public void writable() {
        if (rest != null) {
            sendRestOrClose();
            if (rest != null) {
                return;
            }
            if (closing) {
                transport.closeWhenSent(lingers);
                return;
            }
        }
        Exchange exchange = active;
        if (exchange != null && exchange.response.writableAction() != null) {
            proceed(null, exchange.response.writableAction(), exchange);
            return;
        }
        if (exchange != null && !inBody) {
            stayOpen(exchange);
        } else {
            // The deadline so far was for sending.
            awaitBody();
            afterResponse();
        }
    }

    @Override
    public void endOfInput() {
        if (inBody && active != null) {
            // Half a body: there is no request to answer.
            abortHandler(active);
            release(active, true);
            close(false);
        } else if (active != null || rest != null) {
            // The peer has shut down its sending side only: what it asked for still goes out.
            keepAlive = false;
        } else {
            close(false);
        }
    }

    @Override
    public void expired() {
        Exchange exchange = active;
        if (inBody && exchange != null) {
            flushed = true;
            bodyFailed(Status.REQUEST_TIMEOUT);
        } else if (exchange != null) {
            Runnable action = exchange.response.tickAction();
            if (action != null) {
                tickDueNanos = Transport.NEVER;
                proceed(null, action, exchange);
            }
        } else if (inHead) {
            // What it parsed last may have been another connection's.
            http.exchange().request.clear();
            refuse(http.exchange(), Status.REQUEST_TIMEOUT);
        } else {
            // A response whose body still comes must not be lost to a reset.
            close(inBody);
        }
    }

    @Override
    public void drain() {
        draining = true;
        if (active != null) {
            tellOfDrain(active);
        }
        if (inHead || inBody || behind || active != null || rest != null) {
            return;
        }
        if (requests > 0) {
            close(false);
        } else {
            // Just accepted: its first request may be on the way, and would be lost.
            transport.deadline(transport.now() + FIRST_REQUEST_NANOS);
        }
    }

    private void close(boolean linger) {
        if (!closing) {
            closing = true;
            lingers = linger;
            if (rest == null) {
                transport.closeWhenSent(linger);
            }
        }
    }

    @Override
    public void closed() {
        Exchange exchange = active;
        http.endTurn();
        try {
            if (exchange != null) {
                // What its code writes from here on goes nowhere: the output buffer is another's.
                exchange.turn = Exchange.NOBODY;
                if (inBody) {
                    abortHandler(exchange);
                }
                release(exchange, true);
            }
        } finally {
            // Where a call of receive is at work on this, it has nothing more to do.
            active = null;
            inBody = false;
            closing = true;
            dropRest();
            transport = null;
        }
    }
}
