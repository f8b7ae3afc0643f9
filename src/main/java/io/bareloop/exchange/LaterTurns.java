package io.bareloop.exchange;

import io.bareloop.wire.Turn;
import io.bareloop.wire.Writer;
import java.util.function.Supplier;

/**
 * The turns of an exchange behind the one in which its request was received: of input, of time, of
 * room to write, of other threads. Belongs to its exchange.
 */
public final class LaterTurns {
    private final Exchange exchange;
    private final Exchanges all;
    private final Taker taker;
    private final Deferred deferred;
    private final Writer writer;

    LaterTurns(Exchange exchange, Exchanges all, Taker taker, Deferred deferred) {
        this.exchange = exchange;
        this.all = all;
        this.taker = taker;
        this.deferred = deferred;
        writer = exchange.writer();
    }

    /** The time has come. */
    public void due() {
        Runnable action = exchange.takeTick();
        if (action != null) {
            proceed(null, action);
        }
    }

    /** The client has caught up: tells who wants to know; false where nobody does. */
    public boolean writable() {
        Runnable action = exchange.onWritable();
        if (action == null) {
            return false;
        }
        proceed(null, action);
        return true;
    }

    /** Has a response that is still open, and wants to know, hear that the server is draining. */
    public void tellOfDrain() {
        if (exchange.onDrain() != null) {
            tell(exchange::onDrain, () -> exchange.onDrain(null));
        }
    }

    /** The same, where the client has ended its sending side. */
    public void tellOfHalfClose() {
        exchange.halfClose();
        if (exchange.onHalfClose() != null) {
            tell(exchange::onHalfClose, () -> exchange.onHalfClose(null));
        }
    }

    /** As a turn of its own: what calls this may be in the middle of a handler's. */
    private void tell(Supplier<Runnable> wanted, Runnable once) {
        long expected = exchange.serial();
        exchange.transport()
                .execute(
                        () -> {
                            Runnable action = wanted.get();
                            if (exchange.serial() == expected && action != null) {
                                once.run();
                                resumed(action::run);
                            }
                        });
    }

    /** It has had enough for one turn, and nothing else would tell it to go on. */
    void goOnSoon() {
        long expected = exchange.serial();
        exchange.transport()
                .execute(
                        () -> {
                            if (exchange.isUse(expected)) {
                                resumed(this::goOn);
                            }
                        });
    }

    private void goOn() {
        Runnable action = exchange.onWritable();
        if (action != null && writer.isWritable()) {
            action.run();
        }
    }

    /** Its turn begins with input: what was called in other turns comes first. */
    public void input() {
        Carrier mine = exchange.carrier();
        exchange.beginTurn();
        try {
            deferred.run();
            if (exchange.carrier() != null && writer.hasEnded()) {
                exchange.end();
            }
        } catch (Throwable failure) {
            exchange.failed(mine, failure);
        }
        Exchange.endUserCode();
    }

    /** Runs what another thread, or another turn, has sent. */
    void resumed(Turn.Action action) {
        Carrier mine = exchange.carrier();
        if (mine == null || !mine.carries(exchange)) {
            return;
        }
        try {
            proceed(action, null);
        } catch (VirtualMachineError | LinkageError error) {
            // Where an event is at work its loop sees to this; here it is a task of ours.
            all.report(null, error);
            if (mine.transport() != null) {
                mine.transport().abort();
            }
        }
    }

    /** Runs a later part of a handler, one of the two, outside receive. */
    private void proceed(Turn.Action action, Runnable simpleAction) {
        Carrier mine = exchange.carrier();
        exchange.beginTurn();
        try {
            deferred.run();
            if (writer.hasEnded()) {
                // By one of those: there is nothing left for this action.
                Exchange.endUserCode();
            } else if (action != null) {
                action.run();
            } else {
                simpleAction.run();
            }
            if (!mine.awaitsBody() || taker.isAnswering()) {
                exchange.returned();
            } else if (exchange.carrier() != null && writer.hasEnded()) {
                exchange.end();
            }
        } catch (Throwable failure) {
            exchange.failed(mine, failure);
        } finally {
            exchange.endTurn();
            Exchange.endUserCode();
        }
        mine.turnEnded();
    }
}
