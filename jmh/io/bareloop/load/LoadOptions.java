package io.bareloop.load;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The load to make, as the command line has it; {@link Load} tells what each is. */
record LoadOptions(
        String host,
        String hostField,
        int port,
        String target,
        String fields,
        int requestBytes,
        int bodyBytes,
        String body,
        int connections,
        int depth,
        int requestsPerConnection,
        double rate,
        boolean poisson,
        double warmupSeconds,
        double seconds,
        long connectionsTotal,
        int cpu,
        List<Long> watched) {

    private static final Set<String> NAMES =
            Set.of(
                    "host",
                    "host-field",
                    "port",
                    "target",
                    "fields",
                    "request-bytes",
                    "body-bytes",
                    "body",
                    "connections",
                    "depth",
                    "requests-per-connection",
                    "rate",
                    "arrivals",
                    "warmup",
                    "seconds",
                    "connections-total",
                    "cpu",
                    "watch");

    static LoadOptions parse(String[] arguments) {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            String name = arguments[i].replaceFirst("^--", "");
            if (!NAMES.contains(name) || i + 1 == arguments.length) {
                throw new IllegalArgumentException(
                        arguments[i] + ": no such option, or no value; there are " + NAMES);
            }
            given.put(name, arguments[i + 1]);
        }
        List<Long> watched = new ArrayList<>();
        if (given.containsKey("watch")) {
            Arrays.stream(given.get("watch").split(",", -1))
                    .map(Long::valueOf)
                    .forEach(watched::add);
        }
        String host = given.getOrDefault("host", "127.0.0.1");
        int port = number(given, "port", 2342, 1, 65535);
        LoadOptions options =
                new LoadOptions(
                        host,
                        given.getOrDefault("host-field", host + ":" + port),
                        port,
                        given.getOrDefault("target", "/plaintext"),
                        given.getOrDefault("fields", ""),
                        number(given, "request-bytes", 0, 0, 1 << 20),
                        number(given, "body-bytes", 13, 0, 1 << 30),
                        given.get("body"),
                        number(given, "connections", 64, 1, 1 << 20),
                        number(given, "depth", 1, 1, 1024),
                        number(given, "requests-per-connection", 0, 0, 1 << 30),
                        Double.parseDouble(given.getOrDefault("rate", "0")),
                        given.getOrDefault("arrivals", "poisson").equals("poisson"),
                        Double.parseDouble(given.getOrDefault("warmup", "1")),
                        Double.parseDouble(given.getOrDefault("seconds", "3")),
                        number(given, "connections-total", 0, 0, Integer.MAX_VALUE),
                        number(given, "cpu", -1, -1, 1 << 16),
                        watched);
        if (options.rate > 0 && (options.depth > 1 || options.requestsPerConnection > 0)) {
            throw new IllegalArgumentException("--rate: without --depth and short connections");
        }
        if (options.depth > 1 && options.requestsPerConnection > 0) {
            throw new IllegalArgumentException("--depth or --requests-per-connection, not both");
        }
        return options;
    }

    private static int number(
            Map<String, String> given, String name, int otherwise, int least, int most) {
        String text = given.get(name);
        int value = text == null ? otherwise : Integer.parseInt(text);
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "--" + name + " " + value + ": from " + least + " to " + most);
        }
        return value;
    }

    /** The request, with its own fields, filled up to {@link #requestBytes()} with others. */
    byte[] request(boolean closing) {
        StringBuilder head = new StringBuilder("GET " + target + " HTTP/1.1\r\n");
        head.append("Host: ").append(hostField).append("\r\n");
        if (closing) {
            head.append("Connection: close\r\n");
        }
        fields.lines().forEach(line -> head.append(line).append("\r\n"));
        int left = requestBytes - head.length() - 2;
        // A line takes its name, a colon, a byte and an end at least.
        for (int field = 10; left >= 5; field++) {
            int line = left > 200 ? 100 : left;
            String name = line < 20 ? "A:" : "X-Field-" + field + ": ";
            head.append(name).append("v".repeat(line - name.length() - 2)).append("\r\n");
            left -= line;
        }
        return head.append("\r\n").toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    }
}
