package io.bareloop.loop;

/**
 * The connections of a loop that have a turn without an event: they have more to do than one turn
 * takes, or it is not the moment.
 *
 * <p>A list by the connections themselves: to schedule one takes no memory that could be short.
 */
final class Scheduled {
    private Connection first;
    private Connection last;

    boolean isEmpty() {
        return first == null;
    }

    /** The one that was added last; null where there is none. */
    Connection last() {
        return last;
    }

    /** Adds {@code connection}, unless it is there. */
    void add(Connection connection) {
        if (!connection.scheduled) {
            connection.scheduled = true;
            if (last == null) {
                first = connection;
            } else {
                last.nextScheduled = connection;
            }
            last = connection;
        }
    }

    /** Takes out the first one. There has to be one. */
    Connection take() {
        Connection connection = first;
        first = connection.nextScheduled;
        if (first == null) {
            last = null;
        }
        connection.nextScheduled = null;
        connection.scheduled = false;
        return connection;
    }
}
