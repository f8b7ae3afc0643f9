package io.bareloop.examples;

import io.bareloop.http.ByteView;
import io.bareloop.http.MediaType;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.StreamHandler;
import io.bareloop.server.HttpServer;
import java.time.Duration;
import java.util.zip.CRC32;

/**
 * An upload of any size in constant memory: its checksum is computed as the pieces arrive.
 *
 * <pre>
 * curl -T some.file localhost:8080/crc32
 * </pre>
 */
public final class Upload implements StreamHandler {
    static HttpServer start(int port) throws Exception {
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(Router.builder().put("/crc32", new Upload()).build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }

    @Override
    public void begin(Request request, Response response) {
        request.attach(new CRC32());
    }

    @Override
    public void piece(Request request, Response response, ByteView piece) {
        ((CRC32) request.attachment()).update(piece.toByteArray());
    }

    @Override
    public void end(Request request, Response response) {
        long crc = ((CRC32) request.attachment()).getValue();
        response.contentType(MediaType.TEXT).body(String.format("%08x%n", crc));
    }
}
