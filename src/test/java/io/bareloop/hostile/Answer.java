package io.bareloop.hostile;

/**
 * What has come of a request.
 *
 * @param fate how far the response came
 * @param status 0 where there was none
 * @param closes whether the response said that it is the connection's last
 * @param missing what was missing where it was cut off
 */
record Answer(Fate fate, int status, boolean closes, String missing) {
    enum Fate {
        WHOLE,
        /** The connection ended in the midst of it. */
        CUT,
        /** The connection ended before it began. */
        NONE,
        /** Nothing came for too long. */
        STALLED
    }
}
