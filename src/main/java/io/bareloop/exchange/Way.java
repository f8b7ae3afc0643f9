package io.bareloop.exchange;

import io.bareloop.wire.Transport;
import io.bareloop.wire.Turn;
import io.bareloop.wire.WayBack;

/** The way back to one use of an exchange; see {@link WayBack}. */
final class Way implements WayBack {
    private final Exchange exchange;
    private final Transport transport;
    private final long serial;
    private volatile boolean gone;
    private volatile boolean halfClosed;
    private Runnable onEnd;

    Way(Exchange exchange) {
        this.exchange = exchange;
        this.transport = exchange.transport();
        this.serial = exchange.serial();
        this.halfClosed = exchange.isHalfClosed();
    }

    @Override
    public void resume(Turn.Action action) {
        if (gone) {
            return;
        }
        if (exchange.isLoop() && exchange.serial() == serial) {
            // Behind what else was called in other turns of the loop.
            exchange.later(0, action);
        } else {
            transport.execute(() -> resumeOnLoop(action));
        }
    }

    @Override
    public boolean isGone() {
        return gone;
    }

    @Override
    public boolean isHalfClosed() {
        return halfClosed;
    }

    /** The client has ended its sending side. On the loop. */
    void halfClose() {
        halfClosed = true;
    }

    /** The exchange is over; returns who is to be told, or null. On the loop. */
    Runnable end() {
        gone = true;
        Runnable action = onEnd;
        onEnd = null;
        return action;
    }

    @Override
    public void onEnd(Runnable action) {
        onEnd = action;
    }

    @Override
    public void report(Throwable failure) {
        transport.execute(() -> exchange.report(failure));
    }

    @Override
    public boolean retain() {
        return exchange.retain();
    }

    @Override
    public void unretain() {
        exchange.unretain();
    }

    @Override
    public void release(Turn.Action action) {
        transport.execute(
                () -> {
                    exchange.unretain();
                    if (!gone) {
                        resumeOnLoop(action);
                    } else {
                        exchange.recycleUnused();
                    }
                });
    }

    private void resumeOnLoop(Turn.Action action) {
        if (exchange.isUse(serial)) {
            exchange.later().resumed(action);
        }
    }
}
