package io.bareloop.server;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.Consumer;

/** Where lines about the server go: the application's, guarded, for it may throw anything. */
final class Log {
    /** To System.Logger, which has levels and takes exceptions as they are. */
    static final Consumer<String> SYSTEM = Log::toSystem;

    private final Consumer<String> to;

    Log(Consumer<String> to) {
        this.to = to;
    }

    /** Looked up when first needed: System.Logger may bring a whole logging system along. */
    private static void toSystem(String line) {
        system().log(System.Logger.Level.INFO, line);
    }

    private static System.Logger system() {
        return System.getLogger("io.bareloop");
    }

    /** A defect of the application's: its stack trace too. */
    @SuppressWarnings("ReferenceEquality") // whether it is that very one
    void error(String line, Throwable cause) {
        if (to != SYSTEM) {
            line(line, cause);
            return;
        }
        try {
            system().log(System.Logger.Level.ERROR, line, cause);
        } catch (Throwable failure) {
            line(line, cause);
        }
    }

    /** Never throws: a log that fails must end nothing. Whom the JVM tells is told of it. */
    void line(String line) {
        try {
            to.accept(line);
        } catch (Throwable failure) {
            try {
                Thread current = Thread.currentThread();
                current.getUncaughtExceptionHandler().uncaughtException(current, failure);
            } catch (Throwable again) {
                // There is nobody left to tell.
            }
        }
    }

    /** As {@link #line}, with the stack trace of {@code cause}. */
    void line(String line, Throwable cause) {
        line(line + ": " + trace(cause));
    }

    /** What {@code cause} says of itself; its class where even that fails. */
    static String describe(Throwable cause) {
        try {
            return cause.toString();
        } catch (Throwable failure) {
            return cause.getClass().getName();
        }
    }

    private static String trace(Throwable cause) {
        try {
            StringWriter text = new StringWriter();
            cause.printStackTrace(new PrintWriter(text));
            return text.toString().stripTrailing();
        } catch (Throwable failure) {
            return describe(cause);
        }
    }
}
