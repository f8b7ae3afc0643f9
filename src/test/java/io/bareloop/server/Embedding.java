package io.bareloop.server;

import io.bareloop.http.EventStream;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A program that embeds servers, for a process of its own: {@link #main}. It prints the port of
 * each, and "hook" in a shutdown hook of its own.
 */
final class Embedding {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private Embedding() {}

    /** {@code arguments}: how the program ends. */
    public static void main(String[] arguments) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> say("hook")));
        switch (arguments[0]) {
            case "drains" -> serve(builder(Duration.ofSeconds(20)));
            case "drains two" ->
                    serve(builder(Duration.ofSeconds(20)), builder(Duration.ofSeconds(10)));
            case "has no time" -> serve(builder(Duration.ofMillis(300)), builder(MINUTE));
            case "has a minute" -> serve(builder(MINUTE));
            case "exits when drained" ->
                    serve(
                            builder(Duration.ofSeconds(4))
                                    .onDrain(
                                            () -> {
                                                say("exits");
                                                System.exit(7);
                                            }));
            case "handles TERM" -> {
                if (TakenSignal.take("TERM", () -> say("TERM")) == null) {
                    throw new AssertionError("not taken");
                }
                serve(builder(MINUTE));
            }
            case "has closed" -> {
                builder(MINUTE).start().close();
                idle();
            }
            case "has failed" -> {
                try (HttpServer server = builder(MINUTE).start()) {
                    int port = server.port();
                    try (HttpServer second = builder(MINUTE).listen("127.0.0.1", port).start()) {
                        throw new AssertionError(second.port() + " twice");
                    } catch (IOException inUse) {
                        say("in use");
                    }
                }
                idle();
            }
            case "starts" -> {
                say("starts");
                serve(builder(MINUTE).warmUp(MINUTE));
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void serve(HttpServer.Builder... builders) throws Exception {
        List<HttpServer> servers = new ArrayList<>();
        for (HttpServer.Builder builder : builders) {
            servers.add(builder.start());
        }
        for (HttpServer server : servers) {
            say("port " + server.port());
        }
        say("ready");
        for (HttpServer server : servers) {
            server.awaitTermination();
        }
    }

    private static void idle() throws InterruptedException {
        say("ready");
        Thread.sleep(60_000);
    }

    private static HttpServer.Builder builder(Duration drain) {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.allowed().first())
                .drainOnShutdown(drain)
                .log(line -> say("log: " + line))
                .handler(Embedding::answer);
    }

    private static void answer(Request request, Response response) {
        switch (request.path().toString()) {
            case "/events" -> EventStream.open(response, MINUTE).send(null, "first");
            case "/never" -> response.suspend();
            default -> response.body("whole");
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
