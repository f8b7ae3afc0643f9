package io.bareloop.hostile;

import java.util.Locale;

/** What a request asks its handler to do: the first segment of its path. */
enum HandlerKind {
    /** Calls the response after its end: each call has to throw. */
    AFTER_END,
    /** Answers from a virtual thread, with what that made of the body. */
    BLOCKING,
    /** Gets the body whole, and says which it was. */
    COLLECT,
    /** Sends the body back in pieces, as it comes. */
    ECHO,
    /** The same from a virtual thread, by streams. */
    ECHO_BLOCKING,
    /** Opens an event stream, on which everybody sends. */
    EVENTS,
    /** The same, asked for by HEAD. */
    EVENTS_HEAD,
    /** Throws something, somewhere: {@link Trouble}, {@link Place}. */
    FAIL,
    /** A file, small or large, whole or a range of it. */
    FILE,
    /** Writes on however far the client is behind. */
    FLOOD,
    /** Looks for values in a large form. */
    FORM,
    /**
     * Has another thread take all of the heap for a moment. Not on its own account: parts of the
     * JDK do not outlive that, among them those that virtual threads come from.
     */
    HOARD,
    /** Streams a body that other connections' handlers write. */
    HOLD,
    /** Throws HttpException. */
    HTTP_EXCEPTION,
    /** Interrupts the loop's thread. */
    INTERRUPT,
    /** A large array. */
    LARGE,
    /** Blocks the loop for a moment. */
    NAP,
    /** Native memory that stays. */
    NATIVE,
    /** Native memory that is closed before all of it is sent, or before any. */
    NATIVE_CLOSED,
    /** As NATIVE_CLOSED, closed by another thread, at any moment. */
    NATIVE_CLOSED_ELSEWHERE,
    /** Returns without a response. */
    NOTHING,
    /** Writes a suspended response in another thread, which has to throw there. */
    OTHER_THREAD,
    /** Gets the body in pieces, pauses it, and says which it was. */
    PAUSE,
    /** Sends on event streams and responses of other connections of the loop. */
    POKE,
    /** Sends on event streams that have ended, which has to throw. */
    POKE_ENDED,
    /** A prepared response. */
    PREPARED,
    /** Looks for values in a large query. */
    QUERY,
    /** Is resumed by several threads at once, and again later. */
    RACE,
    /** Streams fewer bytes than it has announced. */
    SHORT_STREAM,
    /** Streams as many bytes as it has announced. */
    SIZED,
    /** Streams a body of unknown length. */
    STREAM,
    /** Is resumed by another thread. */
    SUSPEND,
    /** Gets the body in pieces, and says which it was. */
    UPLOAD,
    /** A small array. */
    WHOLE,
    /** Writes responses of another loop, which has to throw. */
    WRONG_LOOP;

    /** The segment of the path. */
    String segment() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns the kind of that segment, or null. */
    static HandlerKind of(String segment) {
        for (HandlerKind kind : values()) {
            if (kind.segment().equals(segment)) {
                return kind;
            }
        }
        return null;
    }
}
