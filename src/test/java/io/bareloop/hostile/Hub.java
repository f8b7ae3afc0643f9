package io.bareloop.hostile;

import io.bareloop.http.EventStream;
import io.bareloop.http.Response;
import io.bareloop.http.Suspended;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The responses of one loop that others write: event streams and streamed bodies. Changed on that
 * loop alone; other threads take one at random, for {@link EventStream#execute} or to be refused.
 */
final class Hub {
    private static final int ENDED_MAX = 16;

    private final List<Events> streams = new CopyOnWriteArrayList<>();
    private final List<Held> held = new CopyOnWriteArrayList<>();
    private final List<Events> ended = new CopyOnWriteArrayList<>();

    /** An event stream, and what is still to be sent on it. */
    final class Events {
        private final String marker;
        private final EventStream stream;
        private int left;
        private int sent;

        private Events(String marker, EventStream stream, int count) {
            this.marker = marker;
            this.stream = stream;
            this.left = count;
        }

        EventStream stream() {
            return stream;
        }

        /** Sends the next event; ends the stream behind the last. On the loop, by anybody. */
        void advance() {
            if (left == 0) {
                return;
            }
            if (stream.isGone()) {
                forget(this);
                return;
            }
            long key = MarkedBytes.key(marker + " " + sent);
            String text = MarkedBytes.letters(key, 1 + Math.floorMod(key, 300));
            if (stream.send("e", marker + " " + sent + " " + text)) {
                left--;
                sent++;
                if (left == 0) {
                    stream.end();
                    forget(this);
                }
            }
        }
    }

    /** A streamed response, and how far its body has been written. */
    final class Held {
        private final long key;
        private final Response response;
        private final Suspended suspended;
        private final int size;
        private int at;

        private Held(long key, Response response, int size) {
            this.key = key;
            this.response = response;
            this.suspended = response.suspend();
            this.size = size;
        }

        Response response() {
            return response;
        }

        /** As {@link #advance}, in the response's own turn. For any thread. */
        void advanceSoon() {
            suspended.resume((request, same) -> advance());
        }

        /** Writes the next piece; ends the body behind the last. On the loop, by anybody. */
        void advance() {
            if (!held.contains(this) || !response.isWritable()) {
                return;
            }
            int piece = Math.min(size - at, 1 + (MarkedBytes.at(key, at) & 0xFF) * 20);
            if (piece > 0) {
                response.write(MarkedBytes.of(key, at, piece));
                at += piece;
            }
            if (at == size) {
                held.remove(this);
                response.end();
            }
        }
    }

    Events open(String marker, EventStream stream, int count) {
        Events events = new Events(marker, stream, count);
        streams.add(events);
        return events;
    }

    Held hold(long key, Response response, int size) {
        Held one = new Held(key, response, size);
        held.add(one);
        return one;
    }

    private void forget(Events events) {
        events.left = 0;
        streams.remove(events);
        ended.add(events);
        if (ended.size() > ENDED_MAX) {
            ended.remove(0);
        }
    }

    /** The connection of {@code one} is lost: its response must not be touched any more. */
    void lost(Held one) {
        held.remove(one);
    }

    Events anyStream(SplittableRandom random) {
        return any(streams, random);
    }

    Held anyHeld(SplittableRandom random) {
        return any(held, random);
    }

    Events anyEnded(SplittableRandom random) {
        return any(ended, random);
    }

    private static <T> T any(List<T> of, SplittableRandom random) {
        Object[] now = of.toArray();
        if (now.length == 0) {
            return null;
        }
        @SuppressWarnings("unchecked")
        T one = (T) now[random.nextInt(now.length)];
        return one;
    }
}
