package io.bareloop.exchange;

import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.wire.Checks;
import io.bareloop.wire.FileSource;
import io.bareloop.wire.Head;
import io.bareloop.wire.Peer;
import io.bareloop.wire.Transport;
import io.bareloop.wire.Turn;
import io.bareloop.wire.WayBack;
import io.bareloop.wire.Writer;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/**
 * One request and its response: the handler at work, the copy of the request where it has to
 * outlast the call in which it was received, the body as far as it has come, what is left to be
 * sent of the response, and its end. Whatever user code does is caught here.
 *
 * <pre>
 *   free --begin--> at work --response has ended--> over --last byte is with the kernel--> free
 *                    |   ^
 *                    |   +-- a piece of the body, a task, a tick, room to write
 *                    +-- lost, refused --> over
 * </pre>
 *
 * <p>Used for one request after another, on the loop's thread, unless others may know its objects.
 */
public final class Exchange extends Turn {
    private final Exchanges all;
    private final Head head;
    private final Writer writer;
    private final Response response;
    private final Request request;
    private final Rest rest = new Rest();

    /** What carries it; null while it is over or free. */
    private Carrier carrier;

    /** Tells one use from the next: what comes back late is for an old one. */
    private long serial;

    private final Taker taker;
    private final RequestCopy copy;
    private final Deferred deferred;
    private final LaterTurns later;
    private final Failures failures;

    /** Another thread reads the request: the memory stays until it is done. */
    private boolean retained;

    /** Where that request comes from; null where no other thread reads it. */
    private Peer peerOfRetained;

    /** What is to be told of that request at its end, when that thread may still read it. */
    private Completed copyOfRetained;

    /** When the request was there, of System.nanoTime, where somebody wants to know. */
    private long startNanos;

    /**
     * Its response was suspended, or went on after its handler had returned, so that others may
     * know its objects: it is not used again, lest what they do late meet another request.
     */
    private boolean known;

    /** The way back to it, where it is suspended. */
    private Way way;

    Exchange(Exchanges all, Head head, Function<Exchange, Writer> writers) {
        this.all = all;
        this.head = head;
        head.sentBy(this::peer);
        request = new Request(head, all.limits, all.application.proxies());
        copy = new RequestCopy(head, all.slab);
        writer = writers.apply(this);
        response = new Response(request, writer, this);
        taker = new Taker(all, request, response);
        deferred = new Deferred(this, all);
        later = new LaterTurns(this, all, taker, deferred);
        failures = new Failures(this, all, request, response);
    }

    public Head head() {
        return head;
    }

    public Writer writer() {
        return writer;
    }

    public Rest rest() {
        return rest;
    }

    // ---- a request begins

    /** A request is at hand; its turn begins. */
    public void begin(Carrier newCarrier) {
        carrier = newCarrier;
        if (unusual) {
            forgetActions(); // What was set since it was over is for nobody.
            rest.clear();
            unusual = false;
        }
        if (all.completions != null) {
            startNanos = newCarrier.transport().now();
            all.completions.begun(this);
        }
        thread = Thread.currentThread().threadId();
        all.thread = thread;
    }

    /** The turn ends; the output buffer is still its connection's. */
    public void endTurn() {
        if (writer.endTurn() && onWritable() != null) {
            later.goOnSoon();
        }
        thread = NOBODY;
    }

    /** The turn ends with the connection: the output buffer is another's. */
    public void loseTurn() {
        thread = NOBODY;
    }

    /** Has a request answered that has no body. */
    public void answer() {
        Carrier mine = carrier;
        try {
            taker.answer();
            returned();
        } catch (Throwable failure) {
            failed(mine, failure);
        }
        endUserCode();
    }

    /** An interrupt that a handler was given is not the next one's. */
    static void endUserCode() {
        Thread.interrupted();
    }

    /** A part of the handler has returned, and the request is there as a whole. */
    void returned() {
        if (carrier == null) {
            return; // The connection is gone.
        }
        boolean waits = way != null || isBodyPaused();
        if (writer.state() == Writer.State.STREAM || (waits && !writer.hasEnded())) {
            stayOpen();
            return;
        }
        if (!writer.hasBegun()) {
            throw new IllegalStateException("the handler returned without a response");
        }
        writer.finish();
        end();
    }

    /** The response has ended. */
    void end() {
        Carrier last = carrier;
        last.transport().countRequest();
        over(false);
        last.next(false);
    }

    void over(boolean aborted) {
        over(aborted, writer.hasEnded());
    }

    private void over(boolean aborted, boolean answered) {
        if (all.completions != null) {
            all.completions.over(this, request, copyOfRetained, answered);
            copyOfRetained = null;
        }
        boolean kept = carrier.forget(this);
        carrier = null;
        serial++;
        thread = NOBODY;
        writer.expire();
        if (unusual || kept || Checks.ENABLED) {
            endUnusual(aborted);
        } else {
            head.end();
        }
    }

    private void endUnusual(boolean aborted) {
        deferred.forget();
        Runnable abort = aborted ? onAbort() : null;
        forgetActions();
        if (way != null) {
            Runnable end = way.end();
            way = null;
            all.tell(end);
        }
        all.tell(abort);
        // Another thread may still read the request.
        if (!retained) {
            recycle();
        }
    }

    private void recycle() {
        head.expire();
        copy.giveBack();
        all.recycle(this, known);
    }

    /** A part of the response's body is left to be sent. */
    public void restBegun() {
        unusual = true;
    }

    /** All of it is with the kernel, or never will be. */
    public void restEnded() {
        all.release(rest.drop());
        if (carrier == null && !known && !retained && !Checks.ENABLED) {
            all.reuse(this);
        }
    }

    // ---- the rare ways on: failures

    /** Whatever user code throws is the matter of its request. */
    void failed(Carrier mine, Throwable failure) {
        failures.answer(mine, failure);
    }

    /** Answers what cannot be taken, or not any further; the carrier closes behind that. */
    public void refuse(Status status) {
        transport().countError();
        transport().countRequest();
        carrier.closeAfterResponse();
        beginTurn();
        boolean answered = failures.refuse(status);
        if (!answered) {
            carrier.dropRest();
        }
        over(!answered || carrier.carries(this));
    }

    /** The connection is lost, or the response cannot go on. */
    public void abort() {
        thread = NOBODY;
        over(true, false);
    }

    // ---- bodies

    /** A request with a body: finds out who wants it, and how. */
    public void beginBody() {
        Carrier mine = carrier;
        try {
            taker.begin(head.contentLength);
            if (taker.isAnswering()) {
                returned();
            } else if (writer.hasEnded()) {
                end();
            }
        } catch (Throwable failure) {
            failed(mine, failure);
        }
        endUserCode();
    }

    /** Whether anybody wants the body. */
    public boolean wantsBody() {
        return taker.wantsMore();
    }

    public long bodyBytesMax() {
        return taker.bytesMax();
    }

    /**
     * Takes the next bytes of the body.
     *
     * @return false where there is no memory for them
     */
    public boolean take(MemorySegment in, int start, int length) {
        if (taker.wantsWhole()) {
            return copy.append(in, start, length);
        }
        Carrier mine = carrier;
        try {
            taker.take(in, start, length);
            if (writer.hasEnded()) {
                end();
            }
        } catch (Throwable failure) {
            failed(mine, failure);
        }
        endUserCode();
        return true;
    }

    public void bodyEnded() {
        Carrier mine = carrier;
        try {
            taker.end();
            returned();
        } catch (Throwable failure) {
            failed(mine, failure);
        }
        endUserCode();
    }

    /**
     * The body will not come to its end: whoever takes it in pieces is told.
     *
     * @param refusal the status with which it is refused; null where the connection is lost
     */
    public void bodyAborted(Status refusal) {
        taker.aborted(refusal);
    }

    /** Tells of what was thrown where it is no client's matter any more. */
    void report(Throwable failure) {
        all.report(null, failure);
    }

    @Override
    protected boolean awaitsPieces() {
        return carrier != null && carrier.awaitsBody() && taker.wantsPieces();
    }

    @Override
    protected void bodyPaused(boolean paused) {
        known = true;
        if (paused) {
            carrier.pauseBody(this);
        } else {
            carrier.resumeBody(this);
        }
    }

    // ---- what outlasts the call in which it was received

    /** The response goes on after its handler has returned. */
    public void stayOpen() {
        known = true;
        unusual = true;
        awaitTick(carrier.transport().now());
        carrier.keep(this);
        if (carrier.isDraining()) {
            later.tellOfDrain();
        }
    }

    /** Its turns behind the first: of input, of time, of room to write, of other threads. */
    public LaterTurns later() {
        return later;
    }

    /** Copies the request out of the buffer; false where there is no memory for that. */
    public boolean keepCopy() {
        if (!copy.exists()) {
            if (!copy.make()) {
                return false;
            }
            all.handOver(this);
            unusual = true;
        }
        return true;
    }

    /** The tick has come: what is to be done, or null. */
    Runnable takeTick() {
        return tick();
    }

    /** Its turn begins, outside the call in which the request was received. */
    void beginTurn() {
        writer.seal();
        thread = all.thread;
    }

    /** What carries it; null while it is over or free. */
    Carrier carrier() {
        return carrier;
    }

    @SuppressWarnings("ReferenceEquality") // that very one
    boolean isOf(Carrier other) {
        return carrier == other;
    }

    Transport transport() {
        return carrier.transport();
    }

    long serial() {
        return serial;
    }

    long startNanos() {
        return startNanos;
    }

    /** Whether it is still the use that had this serial. */
    boolean isUse(long expected) {
        return serial == expected && carrier != null;
    }

    @Override
    public boolean isHalfClosed() {
        return carrier != null && carrier.hasHungUp();
    }

    @Override
    protected void tellOfHalfClose() {
        later.tellOfHalfClose();
    }

    /** Other threads may know that the client has ended its sending side. */
    void halfClose() {
        if (way != null) {
            way.halfClose();
        }
    }

    /** Whether another thread may be reading the request. */
    boolean isRetained() {
        return retained;
    }

    boolean retain() {
        retained = keepCopy();
        if (retained) {
            // The connection may end, and its peer become another's, while that thread reads on.
            peerOfRetained = new Peer();
            peerOfRetained.set(transport().peer());
            if (all.completions != null) {
                copyOfRetained = all.completions.copyOf(request);
            }
        }
        return retained;
    }

    private Peer peer() {
        return peerOfRetained != null ? peerOfRetained : transport().peer();
    }

    void unretain() {
        retained = false;
    }

    /** Nobody reads it any more: where it is over, its memory goes back. */
    void recycleUnused() {
        if (carrier == null) {
            recycle();
        }
    }

    @Override
    public boolean isLoop() {
        return Thread.currentThread().threadId() == all.thread;
    }

    @Override
    public void later(int bytes, Action action, FileSource file) {
        checkLoop();
        if (carrier == null) {
            throw new IllegalStateException("the response has ended");
        }
        unusual = true;
        deferred.add(action, bytes, file);
    }

    @Override
    public boolean canWait(int bytes) {
        return deferred.hasRoom(bytes);
    }

    @Override
    public WayBack suspend() {
        known = true;
        unusual = true;
        way = new Way(this);
        return way;
    }

    @Override
    public boolean isSuspended() {
        return way != null;
    }
}
