package io.bareloop.server;

/**
 * The application's {@link HttpServer.Builder#onDrain}, called once, on a thread of its own: it may
 * wait, fail, and call System.exit, which waits for the drain in turn.
 */
final class DrainListener {
    private final Runnable listener;
    private final Log log;
    private boolean called;
    private volatile boolean returned;

    DrainListener(Runnable listener, Log log) {
        this.listener = listener;
        this.log = log;
    }

    /**
     * Calls the listener, unless it was called before, and {@code onReturn} behind it. By one
     * thread only.
     */
    void call(Runnable onReturn) {
        if (called) {
            return;
        }
        called = true;
        Thread thread = new Thread(() -> run(onReturn), "bareloop-on-drain");
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            run(onReturn);
        }
    }

    boolean hasReturned() {
        return returned;
    }

    private void run(Runnable onReturn) {
        try {
            listener.run();
        } catch (Throwable failure) {
            log.line("onDrain failed", failure);
        } finally {
            returned = true;
            onReturn.run();
        }
    }
}
