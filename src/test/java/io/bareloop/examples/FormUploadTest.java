package io.bareloop.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.server.HttpServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The example does what it says. */
@Timeout(30)
class FormUploadTest {
    private static final String FORM =
            String.join(
                    "\r\n",
                    "--B",
                    "Content-Disposition: form-data; name=\"comment\"",
                    "",
                    "Lake",
                    "--B",
                    "Content-Disposition: form-data; name=\"photo\"; filename=\"../lake.jpg\"",
                    "",
                    "p".repeat(300_000),
                    "--B--");

    @TempDir Path directory;

    @Test
    void savesTheFileAndDeletesWhatIsNotWhole() throws Exception {
        try (HttpServer server = FormUpload.start(0, directory)) {
            HttpResponse<String> answer = post(server, FORM);
            assertThat(answer.body()).startsWith("comment: Lake\nphoto: lake.jpg\nsaved as photo-");
            String name = answer.body().strip().replaceFirst("(?s).* ", "");
            assertThat(directory.resolve(name)).hasContent("p".repeat(300_000));

            assertThat(post(server, FORM.substring(0, 200_000)).statusCode()).isEqualTo(400);
            try (Stream<Path> files = Files.list(directory)) {
                assertThat(files).hasSize(1);
            }
        }
    }

    private static HttpResponse<String> post(HttpServer server, String body) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(server.origin() + "/photos"))
                        .header("Content-Type", "multipart/form-data; boundary=B")
                        .POST(BodyPublishers.ofString(body))
                        .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }
}
