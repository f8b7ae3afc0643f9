package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Forms that are answered by an upload of their own, over sockets. */
@Timeout(30)
class MultipartHandlerTest {
    private static final String TYPE = "Content-Type: multipart/form-data; boundary=B";
    private static final MultipartLimits LIMITS =
            MultipartLimits.builder().fileBytesMax(1000).bodyBytesMax(2000).build();

    /** What happened to uploads. */
    private final List<String> log = new CopyOnWriteArrayList<>();

    private HttpRig rig;
    private Client client;

    @BeforeEach
    void start() throws IOException {
        rig = HttpRig.start(MultipartHandler.of(LIMITS, this::upload));
        client = Client.connect(rig.port());
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        rig.close();
    }

    private MultipartHandler.Upload upload(Request request) {
        if (request.path().contentEquals("/forbidden")) {
            throw new HttpException(Status.FORBIDDEN, "not here");
        }
        log.add("begin");
        return new Noted();
    }

    private final class Noted extends MultipartEvents implements MultipartHandler.Upload {
        @Override
        public void field(Part part, String value) {
            if (value.equals("throw")) {
                throw new IllegalStateException("as asked for");
            }
            super.field(part, value);
        }

        @Override
        public void answer(Request request, Response response) {
            if (request.path().contentEquals("/late")) {
                throw new HttpException(Status.CONFLICT, "late");
            }
            log.add("answer");
            response.contentType(MediaType.TEXT).body(String.join("\n", found));
        }

        @Override
        public void aborted() throws IOException {
            log.add("aborted");
            throw new IOException("beside the point");
        }
    }

    private static String field(String content) {
        return "--B\r\nContent-Disposition: form-data; name=n\r\n\r\n" + content + "\r\n--B--";
    }

    private Answer post(String target, String body) throws IOException {
        return client.send(
                        Client.request("POST", target, TYPE, "Content-Length: " + body.length())
                                + body)
                .answer();
    }

    @Test
    void answersAFormWholeAndChunked() throws Exception {
        String body =
                field("v").replace("--B--", "--B\r\n")
                        + "Content-Disposition: form-data; name=f; filename=x\r\n\r\nabc\r\n--B--";
        String found = "n|null|text/plain|v\nf|x|text/plain|abc\ncomplete";
        assertThat(post("/", body).body()).isEqualTo(found);
        StringBuilder chunked =
                new StringBuilder(Client.request("POST", "/", TYPE, "Transfer-Encoding: chunked"));
        for (int i = 0; i < body.length(); i++) {
            chunked.append("1\r\n").append(body.charAt(i)).append("\r\n");
        }
        client.send(chunked + "0\r\n\r\n");
        assertThat(client.answer().body()).isEqualTo(found);
        assertThat(log).containsExactly("begin", "answer", "begin", "answer");
        assertThat(rig.failures()).isEmpty();
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        Answer another =
                client.send(
                                Client.request(
                                                "POST",
                                                "/",
                                                "Content-Type: text/plain",
                                                "Content-Length: 1")
                                        + "x")
                        .answer();
        assertThat(another.status()).isEqualTo(415);
        assertThat(another.body()).contains("multipart/form-data is wanted");
        assertThat(client.send(Client.request("POST", "/", "Content-Length: 0")).answer().status())
                .isEqualTo(415);
        Answer twice =
                client.send(Client.request("POST", "/", TYPE, TYPE, "Content-Length: 0")).answer();
        assertThat(twice.status()).isEqualTo(400);
        assertThat(twice.body()).contains("two fields Content-Type");
        assertThat(log).as("none of them is an upload").isEmpty();

        Answer empty = client.send(Client.request("POST", "/", TYPE)).answer();
        assertThat(empty.status()).isEqualTo(400);
        assertThat(empty.body()).contains("without a closing delimiter");
        assertThat(post("/", "--Bx").status()).isEqualTo(400);
        assertThat(post("/late", field("v")).status()).isEqualTo(409);
        assertThat(log).containsExactly("begin", "aborted", "begin", "aborted", "begin", "aborted");
        assertThat(post("/forbidden", field("v")).status()).isEqualTo(403);
        assertThat(log).hasSize(6);
        assertThat(rig.failures()).isEmpty();
    }

    @Test
    void refusesWhatIsTooLarge() throws Exception {
        String file = field("x".repeat(1001)).replace("name=n", "name=n; filename=f");
        Answer answer = post("/", file);
        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.body()).contains("a file of more than 1000 bytes");
        assertThat(log).containsExactly("begin", "aborted");

        Answer announced = post("/", field("x".repeat(2000)));
        assertThat(announced.status()).isEqualTo(413);
        assertThat(announced.body()).contains("a body of more than 2000 bytes");
        assertThat(log).as("before there is an upload").hasSize(2);
        assertThat(post("/", field("v")).status()).isEqualTo(200);
    }

    @Test
    void whatAnUploadThrowsIs500() throws Exception {
        assertThat(post("/", field("throw")).status()).isEqualTo(500);
        assertThat(log).containsExactly("begin", "aborted");
        assertThat(rig.failures()).hasSize(1);
        assertThat(rig.failures().getFirst())
                .hasMessage("as asked for")
                .hasSuppressedException(new IOException("beside the point"));
    }

    @Test
    void hearsOfALostClient() throws Exception {
        client.send(Client.request("POST", "/", TYPE, "Content-Length: 100") + "--B\r\nCont");
        await("begin");
        client.close();
        await("begin", "aborted");
        while (rig.failures().isEmpty()) {
            Thread.sleep(5);
        }
        assertThat(rig.failures().getFirst().getCause()).hasMessage("beside the point");
    }

    private void await(String... expected) throws InterruptedException {
        while (log.size() < expected.length) {
            Thread.sleep(5);
        }
        assertThat(log).containsExactly(expected);
    }
}
