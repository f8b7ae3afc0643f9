package io.bareloop.loop;

import io.bareloop.sys.Syscalls;
import io.bareloop.wire.Protocol;
import java.util.Arrays;

/**
 * The connections of a loop, each in a slot of its own for as long as it is open. Those that have
 * closed stay, some of them, with all that belongs to them, and are used again.
 */
final class Slots {
    private static final int SLOTS_AT_START = 64;

    /**
     * Connections that are not open, with all that belongs to them, which are kept for the next.
     */
    private static final int SPARE_CONNECTIONS_MAX = 1024;

    private final Loop loop;
    private final Syscalls sys;
    private final Protocol.Factory protocols;
    private final Deadlines deadlines;

    /** By slot; null where the slot is free and its connection is not kept. */
    private Connection[] connections = new Connection[SLOTS_AT_START];

    /** The generation with which the next connection of a slot begins, where none is kept. */
    private int[] generations = new int[SLOTS_AT_START];

    private int[] free = new int[SLOTS_AT_START];
    private int freeCount;
    private int count;
    private int spareConnections;

    /**
     * @param deadlines are told how many slots there are
     */
    Slots(Loop loop, Syscalls sys, Protocol.Factory protocols, Deadlines deadlines) {
        this.loop = loop;
        this.sys = sys;
        this.protocols = protocols;
        this.deadlines = deadlines;
        deadlines.ensureSlots(SLOTS_AT_START);
    }

    /** Connections open now. */
    int openCount() {
        return count - freeCount;
    }

    /** The connection of {@code token}; null where it has closed. */
    Connection find(long token) {
        Connection connection = connections[(int) token];
        // Closed earlier in this turn; accept4 may already have reused its descriptor, so the token
        // carries a generation beside the slot.
        return connection != null && connection.token() == token && connection.isOpen()
                ? connection
                : null;
    }

    /** The connection in {@code slot}, which may have closed; null where none is kept. */
    Connection at(int slot) {
        return connections[slot];
    }

    /**
     * A connection to be opened; its slot is taken. Nothing has changed where this throws
     * OutOfMemoryError.
     */
    Connection take() {
        if (freeCount == 0 && count == connections.length) {
            grow();
        }
        int slot = freeCount > 0 ? free[freeCount - 1] : count;
        Connection connection = connections[slot];
        if (connection == null) {
            connection =
                    new Connection(loop, sys, protocols.newProtocol(), slot, generations[slot]);
            connections[slot] = connection;
        } else {
            spareConnections--;
        }
        if (freeCount > 0) {
            freeCount--;
        } else {
            count++;
        }
        return connection;
    }

    private void grow() {
        int slots = count * 2;
        Connection[] moreConnections = Arrays.copyOf(connections, slots);
        int[] moreGenerations = Arrays.copyOf(generations, slots);
        int[] moreFree = Arrays.copyOf(free, slots);
        deadlines.ensureSlots(slots);
        connections = moreConnections;
        generations = moreGenerations;
        free = moreFree;
    }

    /** The connection has closed: its slot is free. */
    void give(Connection connection) {
        int slot = connection.slot();
        free[freeCount++] = slot;
        if (spareConnections < SPARE_CONNECTIONS_MAX) {
            spareConnections++;
        } else {
            generations[slot] = (int) (connection.token() >>> 32);
            connections[slot] = null;
        }
    }

    /** A turn was cut short: no connection knows what it has missed. */
    void interruptAll() {
        for (int slot = 0; slot < count; slot++) {
            if (isOpen(slot)) {
                connections[slot].interrupted();
            }
        }
    }

    /** Tells the protocols that the server is draining. */
    void drainAll() {
        for (int slot = 0; slot < count; slot++) {
            if (isOpen(slot)) {
                connections[slot].drain();
            }
        }
    }

    private boolean isOpen(int slot) {
        return connections[slot] != null && connections[slot].isOpen();
    }

    /** Closes what is open. One that cannot be closed is no reason to leave the others open. */
    void closeAll() {
        Throwable failure = null;
        for (int slot = 0; slot < count; slot++) {
            if (connections[slot] != null) {
                try {
                    connections[slot].close();
                } catch (Throwable t) {
                    failure = t;
                }
            }
        }
        if (failure != null) {
            throw new AssertionError("a connection could not be closed: " + failure, failure);
        }
    }
}
