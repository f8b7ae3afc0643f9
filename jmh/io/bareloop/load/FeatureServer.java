package io.bareloop.load;

import io.bareloop.http.ByteView;
import io.bareloop.http.Compression;
import io.bareloop.http.Fields;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.server.AccessLog;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;

/**
 * A server with some features of the API and no others, so that each can be measured beside one
 * that has none. Arguments: port, CPUs, features separated by commas, and the file of the access
 * log.
 *
 * <p>The features are {@code none}; {@code fields}, two of all responses; {@code filter}, which
 * adds one; {@code completion}, a listener that counts, whose count {@code /completed} tells;
 * {@code log}, an access log in the combined format, of which {@code /dropped} tells what is lost;
 * {@code cookie}, which reads a cookie and a parameter of the query; {@code gzip}, compression. All
 * answer the same: {@code /plaintext}, prepared; {@code /json}, composed for each request; {@code
 * /greeting}, with what is in the request where there is {@code cookie}, else with what would be;
 * {@code /items}, 2 KiB.
 */
public final class FeatureServer {
    private static final List<String> KNOWN =
            List.of("none", "fields", "filter", "completion", "cookie", "gzip", "log");

    private static final Prepared HELLO =
            Prepared.of(Status.OK, MediaType.of("text/plain"), ascii("Hello, World!"));
    private static final byte[] MESSAGE = ascii("{\"message\":\"");
    private static final byte[] WORLD = ascii("Hello, World!");
    private static final byte[] NAME = ascii("{\"name\":\"");
    private static final byte[] THEME = ascii("\",\"theme\":\"");
    private static final byte[] END = ascii("\"}");
    private static final byte[] JURGEN = "Jürgen".getBytes(StandardCharsets.UTF_8);
    private static final byte[] DARK = ascii("dark");
    private static final byte[] ITEMS = ascii(items(40));

    private static final Fields TWO_FIELDS =
            Fields.NONE
                    .with(HeaderName.of("Strict-Transport-Security"), "max-age=31536000")
                    .with(HeaderName.of("X-Content-Type-Options"), "nosniff");
    private static final Fields ORIGIN =
            Fields.NONE.with(HeaderName.of("Access-Control-Allow-Origin"), "*");

    private static final LongAdder COMPLETED = new LongAdder();

    private final MemorySegment scratch = Arena.ofAuto().allocate(1024);
    private final AccessLog log;

    private FeatureServer(AccessLog log) {
        this.log = log;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Set<String> features = Set.of(arguments[2].split(",", -1));
        for (String feature : features) {
            if (!KNOWN.contains(feature)) {
                throw new IllegalArgumentException(feature + ": there are " + KNOWN);
            }
        }
        AccessLog log = AccessLog.file(Path.of(arguments[3]), AccessLog.Format.COMBINED);
        HttpServer.Builder builder =
                HttpServer.builder()
                        .listen("127.0.0.1", Integer.parseInt(arguments[0]))
                        .cpus(CpuSet.of(arguments[1]))
                        .handlerPerLoop(() -> new FeatureServer(log).router(features));
        if (features.contains("fields")) {
            builder.fields(TWO_FIELDS);
        }
        if (features.contains("completion")) {
            builder.onCompletion(completion -> COMPLETED.increment());
        }
        if (features.contains("log")) {
            builder.accessLog(log);
        }
        if (features.contains("gzip")) {
            builder.compression(Compression.defaults());
        }
        try (HttpServer server = builder.start()) {
            System.out.println("serving " + server.origin());
            server.awaitTermination();
        }
    }

    private Handler router(Set<String> features) {
        Router.Builder router = Router.builder();
        if (features.contains("filter")) {
            router.filter((request, response) -> response.always(ORIGIN));
        }
        if (features.contains("completion")) {
            router.get("/completed", (request, response) -> response.body(COMPLETED.toString()));
        }
        if (features.contains("log")) {
            router.get("/dropped", (request, response) -> dropped(response));
        }
        router.get("/plaintext", HELLO)
                .get("/json", (request, response) -> json(response))
                .get("/items", (request, response) -> items(response))
                .get(
                        "/greeting",
                        features.contains("cookie")
                                ? this::greeting
                                : (request, response) -> greeting(response));
        return router.build();
    }

    private void dropped(Response response) {
        response.body(Long.toString(log.dropped()));
    }

    private void json(Response response) {
        int at = put(MESSAGE, 0);
        at = put(WORLD, at);
        response.contentType(MediaType.JSON).body(scratch, 0, put(END, at));
    }

    private static void items(Response response) {
        response.contentType(MediaType.JSON).body(ITEMS);
    }

    private void greeting(Request request, Response response) {
        int at = put(NAME, 0);
        at = put(request.requiredQueryValue("name"), at);
        at = put(THEME, at);
        at = put(request.cookie("theme"), at);
        response.contentType(MediaType.JSON).body(scratch, 0, put(END, at));
    }

    private void greeting(Response response) {
        int at = put(NAME, 0);
        at = put(JURGEN, at);
        at = put(THEME, at);
        at = put(DARK, at);
        response.contentType(MediaType.JSON).body(scratch, 0, put(END, at));
    }

    private int put(byte[] bytes, int at) {
        MemorySegment.copy(bytes, 0, scratch, ValueLayout.JAVA_BYTE, at, bytes.length);
        return at + bytes.length;
    }

    private int put(ByteView view, int at) {
        view.copyTo(scratch, at);
        return at + view.length();
    }

    /** As an application would list things: names that repeat, values that differ. */
    private static String items(int count) {
        StringBuilder json = new StringBuilder("[");
        for (int i = 0; i < count; i++) {
            json.append(i == 0 ? "" : ",")
                    .append("{\"id\":")
                    .append(1000 + 37 * i)
                    .append(",\"title\":\"Article ")
                    .append(Integer.toHexString(i * 0x9E3779B1))
                    .append("\",\"cents\":")
                    .append(995 + i * i * 101 % 9000)
                    .append('}');
        }
        return json.append(']').toString();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
