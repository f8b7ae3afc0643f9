package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Compression;
import io.bareloop.http.Handler;
import io.bareloop.http.MediaType;
import io.bareloop.http.Response;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.Gunzip;
import java.io.IOException;

/** What the tests of compression share: servers that compress, and what has to come of it. */
final class Compressing {
    static final String GZIP = "Accept-Encoding: gzip, deflate, br";
    static final String TEXT = "All work and no play makes a dull log. ".repeat(200);
    static final byte[] BODY = Bytes.of(TEXT);

    static HttpServer start(Handler handler) throws IOException {
        return start(handler, Compression.defaults());
    }

    static HttpServer start(Handler handler, Compression compression) throws IOException {
        return builder(handler).compression(compression).start();
    }

    static HttpServer.Builder builder(Handler handler) {
        return HttpServer.builder()
                .listen("127.0.0.1", 0)
                .cpus(CpuSet.unpinned(1))
                .handler(handler);
    }

    static Answer get(HttpServer server, String path, String... fields) throws IOException {
        try (Client client = Client.connect(server.port())) {
            return client.send(Client.request("GET", path, fields)).answer();
        }
    }

    static void assertCompressed(Answer answer, String expected) {
        assertThat(answer.values("Content-Encoding")).containsExactly("gzip");
        assertThat(answer.values("Vary")).containsExactly("Accept-Encoding");
        assertThat(Gunzip.text(answer.body())).isEqualTo(expected);
        assertThat(answer.body().length()).isLessThan(Math.max(64, expected.length()));
    }

    static void assertPlain(Answer answer, String expected) {
        assertThat(answer.has("Content-Encoding")).isFalse();
        assertThat(answer.body()).isEqualTo(expected);
    }

    static void assertCompressedOf(Answer answer, String expected) {
        assertThat(answer.field("Content-Encoding")).isEqualTo("gzip");
        assertThat(Gunzip.text(answer.body()).equals(expected)).isTrue();
    }

    static Response text(Response response) {
        return response.contentType(MediaType.TEXT);
    }

    static Handler streaming(int pieces) {
        return (request, response) -> {
            text(response).stream();
            for (int i = 0; i < pieces; i++) {
                response.write(BODY);
            }
            response.end();
        };
    }

    private Compressing() {}
}
