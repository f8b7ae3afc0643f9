package io.bareloop.hostile;

import java.io.IOException;

/** What user code throws. */
enum Trouble {
    ASSERTION_ERROR,
    /** An exception whose getMessage throws. */
    BAD_MESSAGE,
    CHECKED_EXCEPTION,
    ERROR,
    /** An array that is larger than the heap. */
    HEAP_EXHAUSTED,
    INTERNAL_ERROR,
    LINKAGE_ERROR,
    /** An exception, and an Error of the log that is told of it. */
    LOG_ERROR,
    /** An exception, and another of the log that is told of it. */
    LOG_EXCEPTION,
    /** An exception, and a log that interrupts the thread. */
    LOG_INTERRUPTS,
    OUT_OF_MEMORY,
    RUNTIME_EXCEPTION,
    STACK_OVERFLOW;

    /** Of all that is thrown on purpose: what is told of anything else is a fault. */
    static final String TEXT = "hostile";

    /** An exception of user code that says what its log does. */
    static final class Thrown extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final Trouble trouble;

        Thrown(Trouble trouble) {
            super(TEXT);
            this.trouble = trouble;
        }

        Trouble trouble() {
            return trouble;
        }

        @Override
        public String getMessage() {
            if (trouble == BAD_MESSAGE) {
                throw new UnsupportedOperationException(TEXT);
            }
            return super.getMessage();
        }
    }

    /** Throws it. */
    void raise() throws Exception {
        switch (this) {
            case ASSERTION_ERROR -> throw new AssertionError(TEXT);
            case CHECKED_EXCEPTION -> throw new IOException(TEXT);
            case ERROR -> throw new Error(TEXT);
            case HEAP_EXHAUSTED -> throw new IOException(TEXT + " " + tooMuch());
            case INTERNAL_ERROR -> throw new InternalError(TEXT);
            case LINKAGE_ERROR -> throw new NoClassDefFoundError(TEXT);
            case OUT_OF_MEMORY -> throw new OutOfMemoryError(TEXT);
            case STACK_OVERFLOW -> throw new IOException(TEXT + " " + descend(1));
            case BAD_MESSAGE, LOG_ERROR, LOG_EXCEPTION, LOG_INTERRUPTS, RUNTIME_EXCEPTION ->
                    throw new Thrown(this);
        }
    }

    private static int tooMuch() {
        return new long[Integer.MAX_VALUE / Long.BYTES].length;
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int descend(int depth) {
        return 1 + descend(depth + 1);
    }
}
