package io.bareloop.rig;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Protocol;
import io.bareloop.wire.Transport;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes one line off the front of a connection and becomes another protocol, as what reads a PROXY
 * header does. It lets the engine keep what has come of the line.
 */
public final class Prelude extends Protocol {
    /** Of version 1 of the PROXY protocol. */
    public static final String LINE = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";

    private static final int LINE_BYTES_MAX = 107;
    private static final long LINE_NANOS = 10_000_000_000L;

    private final Protocol next;
    private final List<String> lines = new ArrayList<>();

    /** Null before the connection, and once another protocol has it. */
    private Transport transport;

    private int drains;
    private int closes;

    public Prelude(Protocol next) {
        this.next = next;
    }

    /** The lines of all connections. */
    public List<String> lines() {
        return lines;
    }

    /** How often it was told of a drain. */
    public int drains() {
        return drains;
    }

    /** How many connections were closed while they were its. */
    public int closes() {
        return closes;
    }

    @Override
    public void open(Transport newTransport) {
        transport = newTransport;
        transport.deadline(transport.now() + LINE_NANOS);
    }

    @Override
    public int receive(MemorySegment in, int from, int to) {
        check();
        for (int at = from; at < to; at++) {
            if (in.get(JAVA_BYTE, at) == '\n') {
                byte[] line = in.asSlice(from, at + 1 - from).toArray(JAVA_BYTE);
                lines.add(Bytes.toString(line));
                transport.become(next);
                transport = null;
                return at + 1;
            }
        }
        if (to - from >= LINE_BYTES_MAX) {
            transport.closeWhenSent(true);
            return to;
        }
        return from;
    }

    /** The contract: once it is another protocol's connection, this is not called any more. */
    private void check() {
        if (transport == null) {
            throw new AssertionError("called while the connection is not its");
        }
    }

    @Override
    public void endOfInput() {
        check();
        transport.closeWhenSent(false);
    }

    @Override
    public void writable() {
        check();
        throw new AssertionError("nothing was written");
    }

    @Override
    public void expired() {
        check();
        transport.closeWhenSent(true);
    }

    @Override
    public void drain() {
        check();
        drains++;
    }

    @Override
    public void closed() {
        check();
        closes++;
        transport = null;
    }
}
