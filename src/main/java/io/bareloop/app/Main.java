package io.bareloop.app;

import io.bareloop.http.Handler;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;

/** {@code java -jar bareloop.jar [serve] [options]}, or {@code ... aot [FILE]}. */
public final class Main {
    static final int OK = 0;
    static final int FAILED = 1;
    private static final int USAGE = 2;

    private Main() {}

    /** Exits with 0 after a clean end, 1 after a failure, 2 where the options are wrong. */
    public static void main(String[] args) {
        String stale = AotCache.staleCache();
        if (stale != null) {
            System.err.println("bareloop: " + stale);
            System.exit(FAILED);
        }
        int status = run(Arguments.restored(args), System.out, System.err);
        if (status != OK) {
            System.exit(status);
        }
    }

    /** Returns the exit status; returns at all only where there is nothing (more) to serve. */
    static int run(String[] args, PrintStream out, PrintStream err) {
        if (args.length > 0 && args[0].equals("aot")) {
            return aot(Arrays.copyOfRange(args, 1, args.length), out, err);
        }
        String[] options =
                args.length > 0 && args[0].equals("serve")
                        ? Arrays.copyOfRange(args, 1, args.length)
                        : args;
        Serve serve;
        try {
            Map<String, String> values = ServeOptions.plain(options);
            if (values == null) {
                values = CommandLineSpec.parse(options, out);
            }
            if (values == null) {
                return OK;
            }
            serve = new Serve(values);
        } catch (IllegalArgumentException e) {
            err.println("bareloop: " + e.getMessage());
            err.println("Try: java -jar bareloop.jar --help");
            return USAGE;
        }
        return serve(serve, out, err);
    }

    private static int aot(String[] args, PrintStream out, PrintStream err) {
        if (args.length > 1 || (args.length == 1 && args[0].startsWith("-"))) {
            err.println("bareloop: aot takes the name of a file, or nothing");
            err.println("Try: java -jar bareloop.jar --help");
            return USAGE;
        }
        try {
            AotCache.build(args, out);
            return OK;
        } catch (IOException | IllegalStateException e) {
            err.println("bareloop: " + e.getMessage());
            return FAILED;
        } catch (InterruptedException e) {
            return FAILED;
        }
    }

    private static int serve(Serve serve, PrintStream out, PrintStream err) {
        Shutdown shutdown = new Shutdown(serve.drain, out, err);
        // Before the start, which may take as long as the warm-up is.
        shutdown.register();
        if (serve.rotatedLog != null) {
            JvmSignal.handle("HUP", serve.rotatedLog::reopen);
        }
        HttpServer server;
        try {
            server =
                    serve.server
                            .handlerPerLoop(handlers(serve, err))
                            .log(line -> err.println("bareloop: " + line))
                            .start();
        } catch (IOException | IllegalStateException | IllegalArgumentException e) {
            if (shutdown.over()) {
                err.println("bareloop: " + e.getMessage());
            }
            return FAILED;
        }
        shutdown.serving(server);
        Banner.print(server, serve.files != null, out);
        try {
            server.awaitTermination();
            // Ended by a drain: its thread, a shutdown hook, halts the machine with the status.
            new CountDownLatch(1).await();
            return OK;
        } catch (IllegalStateException e) {
            // A loop failed: the log has said so.
            shutdown.over();
            return FAILED;
        } catch (InterruptedException e) {
            return FAILED;
        }
    }

    /** The files asked for, which live as long as the process; or the demonstration. */
    private static Supplier<Handler> handlers(Serve serve, PrintStream err) {
        if (serve.files == null) {
            return Demo::newApplication;
        }
        Handler files = serve.files.log(line -> err.println("bareloop: " + line)).build();
        return () -> files;
    }
}
