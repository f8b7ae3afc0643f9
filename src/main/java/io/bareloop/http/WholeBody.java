package io.bareloop.http;

import io.bareloop.wire.Turn;

/**
 * A body that is there as a whole, as a {@link StreamHandler} gets it: in one piece, and each call
 * only while it is not paused.
 */
final class WholeBody {
    /** What comes next. */
    enum Step {
        BEGIN,
        PIECE,
        END,
        NONE;

        private Step next() {
            return switch (this) {
                case BEGIN -> PIECE;
                case PIECE -> END;
                case END, NONE -> NONE;
            };
        }
    }

    private WholeBody() {}

    /** Presents it from step {@code first} on. Allocates only where it is paused. */
    static void present(StreamHandler handler, Request request, Response response, Step first)
            throws Exception {
        Turn turn = response.turn();
        Step step = first;
        try {
            while (step != Step.NONE && !response.hasEnded()) {
                turn.presents(step != Step.END);
                call(handler, request, response, step);
                step = step.next();
                if (turn.isBodyPaused()) {
                    Step rest = step;
                    turn.onBodyResumed(() -> present(handler, request, response, rest));
                    return;
                }
            }
        } finally {
            if (!turn.isBodyPaused()) {
                turn.presents(false);
            }
        }
    }

    private static void call(StreamHandler handler, Request request, Response response, Step step)
            throws Exception {
        switch (step) {
            case BEGIN -> handler.begin(request, response);
            case PIECE -> {
                ByteView body = request.body();
                if (!body.isEmpty()) {
                    handler.piece(request, response, body);
                }
            }
            case END -> handler.end(request, response);
            case NONE -> throw new AssertionError("nothing comes next");
        }
    }
}
