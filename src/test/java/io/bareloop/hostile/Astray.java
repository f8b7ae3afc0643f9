package io.bareloop.hostile;

/** A client has seen what must not be. */
final class Astray extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Astray(String message) {
        super(message);
    }
}
