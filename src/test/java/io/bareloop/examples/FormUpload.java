package io.bareloop.examples;

import io.bareloop.http.ByteView;
import io.bareloop.http.MediaType;
import io.bareloop.http.MultipartHandler;
import io.bareloop.http.MultipartLimits;
import io.bareloop.http.Part;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A form with a file of any size, which goes to a directory as it arrives. Writing to a disk may
 * wait: on a busy server this belongs into a blocking handler.
 *
 * <pre>
 * curl -F comment=Lake -F photo=@lake.jpg localhost:8080/photos
 * </pre>
 */
public final class FormUpload implements MultipartHandler.Upload {
    private final Path file;
    private final OutputStream out;
    private final StringBuilder said = new StringBuilder();

    private FormUpload(Path directory) throws IOException {
        // A name of our own: the client's may be anything, and that of another file.
        file = Files.createTempFile(directory, "photo-", null);
        out = Files.newOutputStream(file);
    }

    static HttpServer start(int port, Path directory) throws Exception {
        MultipartLimits limits =
                MultipartLimits.builder().partsMax(2).fileBytesMax(50 << 20).build();
        MultipartHandler upload = MultipartHandler.of(limits, request -> new FormUpload(directory));
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(Router.builder().post("/photos", upload).build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080, Path.of(args[0]))) {
            server.awaitTermination();
        }
    }

    @Override
    public void field(Part part, String value) {
        said.append(part.name()).append(": ").append(value).append('\n');
    }

    @Override
    public void begin(Part part) {
        said.append(part.name()).append(": ").append(part.safeFilename()).append('\n');
    }

    @Override
    public void piece(Part part, ByteView piece) throws IOException {
        out.write(piece.toByteArray());
    }

    @Override
    public void end(Part part) {}

    @Override
    public void answer(Request request, Response response) throws IOException {
        out.close();
        said.append("saved as ").append(file.getFileName()).append('\n');
        response.contentType(MediaType.TEXT).body(said.toString());
    }

    @Override
    public void aborted() throws IOException {
        out.close();
        Files.delete(file);
    }
}
