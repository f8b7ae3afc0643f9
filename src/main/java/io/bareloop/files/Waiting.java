package io.bareloop.files;

import io.bareloop.http.Handler;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Suspended;
import java.util.function.Consumer;

/**
 * A request that waits for the disk. Allocated, as everything on this rare way is; belongs to its
 * loop, which a thread of the disk wakes up with what it has found.
 */
final class Waiting implements Consumer<Outcome>, Handler {
    /** A file that is replaced all the time is opened again so often for one request. */
    private static final int LOADS_MAX = 5;

    private final FileTree tree;
    private final String path;
    private final Request request;
    private final Response response;
    private final Suspended suspended;
    private volatile Outcome outcome;
    private boolean answered;
    private int loads = 1;

    Waiting(FileTree tree, String path, Request request, Response response) {
        this.tree = tree;
        this.path = path;
        this.request = request;
        this.response = response;
        suspended = response.suspend();
        response.onTick(tree.settings().diskTimeMax(), this::giveUp);
    }

    /** On a thread of the disk. */
    @Override
    public void accept(Outcome found) {
        outcome = found;
        suspended.resume(this);
    }

    /** Back on the loop, with the same two. */
    @Override
    public void handle(Request sameRequest, Response sameResponse) {
        Outcome found = outcome;
        answered = true;
        if (found.entry() != null) {
            if (!tree.answer().write(found.entry(), request, response)) {
                loadAgain();
            }
        } else if (found.listing() != null) {
            response.send(found.listing());
        } else if (found.refusal() != null) {
            refuse(found.refusal());
        } else {
            Redirect.send(tree.settings().mount(), path, request, response);
        }
    }

    /** Asks the disk; answers at once where it is not to be asked. */
    void load() {
        answered = false;
        Refusal refusal = tree.loader().load(path, this);
        if (refusal != null) {
            refuse(refusal);
        }
    }

    /** The version that was found has been replaced before it could be sent. */
    private void loadAgain() {
        if (++loads > LOADS_MAX) {
            refuse(Refusal.BUSY);
        } else {
            load();
        }
    }

    private void giveUp() {
        if (!answered) {
            refuse(Refusal.STALLED);
        }
    }

    private void refuse(Refusal refusal) {
        answered = true;
        tree.errors().answer(refusal, request, response);
    }
}
