package io.bareloop.rig;

import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.util.List;

/** A protocol of a test: closes at the end of input, and lets everything else pass. */
public abstract class PlainProtocol extends Protocol {
    private final List<Transport> opened;

    public Transport transport;

    /** Which of all connections it was opened for, counted from 0. */
    public int index;

    /** Adds its transport to {@code opened}, once for each connection. */
    public PlainProtocol(List<Transport> opened) {
        this.opened = opened;
    }

    @Override
    public void open(Transport newTransport) {
        transport = newTransport;
        index = opened.size();
        opened.add(newTransport);
    }

    @Override
    public void endOfInput() {
        transport.closeWhenSent(false);
    }

    @Override
    public void writable() {}

    @Override
    public void expired() {}

    @Override
    public void drain() {}

    @Override
    public void closed() {}

    /** Makes protocols of a test. */
    public interface Factory extends Protocol.Factory {
        @Override
        default void turn(long nowNanos) {}
    }
}
