package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Parts that are pulled from an InputStream. */
class MultipartStreamTest {
    private static final String TYPE = "multipart/form-data; boundary=B";
    private static final MultipartLimits LIMITS = MultipartLimits.defaults();

    private static String field(String name, String content) {
        return "--B\r\nContent-Disposition: form-data; name="
                + name
                + "\r\n\r\n"
                + content
                + "\r\n";
    }

    private static String file(String name, String content) {
        return field(name + "; filename=x", content);
    }

    private static MultipartStream stream(String latin1) {
        return stream(LIMITS, latin1);
    }

    private static MultipartStream stream(MultipartLimits limits, String latin1) {
        return MultipartStream.of(TYPE, limits, new ByteArrayInputStream(Bytes.of(latin1)));
    }

    /** Hands out as many bytes at a time as it likes. */
    private static InputStream dripping(String latin1, SplittableRandom random) {
        return new ByteArrayInputStream(Bytes.of(latin1)) {
            @Override
            public int read(byte[] to) {
                return read(to, 0, to.length);
            }

            @Override
            public int read(byte[] to, int offset, int length) {
                return super.read(to, offset, Math.min(length, 1 + random.nextInt(9)));
            }
        };
    }

    @Test
    void findsWhatTheReaderFinds() throws Exception {
        SplittableRandom random = new SplittableRandom(5);
        for (int round = 0; round < 3000; round++) {
            StringBuilder body = new StringBuilder();
            for (int i = random.nextInt(4); i > 0; i--) {
                String content = "\r\n--\rB-x".repeat(9).substring(random.nextInt(60));
                body.append(random.nextBoolean() ? field("n", content) : file("n", content));
            }
            body.append(random.nextInt(9) > 0 ? "--B--" : "\r\n--");
            String latin1 = body.toString();
            List<String> expected = NaiveMultipart.read("B", latin1);
            assertThat(read(dripping(latin1, random))).isEqualTo(expected);
        }
    }

    private static List<String> read(InputStream body) throws IOException {
        List<String> found = new ArrayList<>();
        try {
            MultipartStream parts = MultipartStream.of(TYPE, LIMITS, body);
            for (PartStream part = parts.next(); part != null; part = parts.next()) {
                byte[] content = part.inputStream().readAllBytes();
                found.add(
                        MultipartEvents.line(
                                part.name(),
                                part.filename(),
                                part.contentType(),
                                Bytes.toString(content)));
            }
            assertThat(parts.next()).as("once at the end, always").isNull();
        } catch (HttpException refused) {
            return List.of(String.valueOf(refused.status().code()));
        }
        found.add("complete");
        return found;
    }

    @Test
    void whatIsNotReadIsPassedOver() throws Exception {
        MultipartStream parts =
                stream(
                        file("a", "12345")
                                + field("b", "x".repeat(50_000))
                                + file("c", "123")
                                + "--B--");
        PartStream a = parts.next();
        InputStream content = a.inputStream();
        assertThat(content.read()).isEqualTo('1');
        assertThat(content.available()).isEqualTo(4);
        assertThat(content.read(new byte[0])).isZero();
        assertThat(content.readNBytes(2)).isEqualTo(Bytes.of("23"));
        assertThat(parts.next().name()).isEqualTo("b");
        assertThat(content.available()).isZero();
        assertThatThrownBy(content::read).isInstanceOf(IllegalStateException.class);
        PartStream c = parts.next();
        assertThat(c.text()).isEqualTo("123");
        assertThat(c.text()).isEmpty();
        assertThat(c.inputStream().read()).isEqualTo(-1);
        assertThat(parts.next()).isNull();
        assertThat(c.inputStream().read()).as("it has been read to its end").isEqualTo(-1);
    }

    @Test
    void textIsUtf8AndBounded() throws Exception {
        MultipartLimits limits = MultipartLimits.builder().fieldBytesMax(6).build();
        String text = Bytes.toString("\u20ac\u00e4x".getBytes(StandardCharsets.UTF_8));
        assertThat(stream(limits, field("a", text) + "--B--").next().text())
                .isEqualTo("\u20ac\u00e4x");
        // Of a file too, which could be longer.
        assertThat(stream(limits, file("a", text) + "--B--").next().text())
                .isEqualTo("\u20ac\u00e4x");
        for (String body : List.of(field("a", text + "y"), file("a", text + "y"))) {
            PartStream part = stream(limits, body + "--B--").next();
            assertThatThrownBy(part::text)
                    .isInstanceOfSatisfying(
                            HttpException.class,
                            e -> assertThat(e.status()).isEqualTo(Status.CONTENT_TOO_LARGE));
        }
    }

    @Test
    void filesAreNewAndWhole(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("x");
        String content = "x\r\n-".repeat(20_000);
        String body = file("a", content) + file("b", "2") + "--B--";
        MultipartStream parts = stream(body);
        assertThat(parts.next().transferTo(path)).isEqualTo(content.length());
        assertThat(Bytes.toString(Files.readAllBytes(path))).isEqualTo(content);
        PartStream second = parts.next();
        assertThatThrownBy(() -> second.transferTo(path))
                .isInstanceOf(FileAlreadyExistsException.class);
        assertThat(path).as("which was there before").hasSize(content.length());
        assertThat(second.text()).isEqualTo("2");

        Path cut = directory.resolve("cut");
        PartStream part = stream(body.substring(0, 50_000)).next();
        assertThatThrownBy(() -> part.transferTo(cut))
                .isInstanceOf(HttpException.class)
                .hasMessageContaining("without a closing delimiter");
        assertThat(cut).doesNotExist();
    }

    @Test
    void aFailureIsNoEnd() throws Exception {
        MultipartStream refused = stream(field("a", "1") + "--Bx");
        refused.next();
        assertThatThrownBy(refused::next).isInstanceOf(HttpException.class);
        assertThatThrownBy(refused::next).isInstanceOf(IllegalStateException.class);

        InputStream broken =
                new InputStream() {
                    @Override
                    public int read() throws IOException {
                        throw new IOException("reset");
                    }

                    @Override
                    public int read(byte[] to, int offset, int length) throws IOException {
                        return read();
                    }
                };
        MultipartStream lost = MultipartStream.of(TYPE, LIMITS, broken);
        assertThatThrownBy(lost::next).isInstanceOf(IOException.class).hasMessage("reset");
        assertThatThrownBy(lost::next).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> MultipartStream.of("text/plain", LIMITS, broken))
                .isInstanceOf(HttpException.class);
    }

    @Test
    void inABlockingHandler() throws Exception {
        Handler handler =
                Blocking.blocking(
                        request -> {
                            InputStream body =
                                    new ByteArrayInputStream(request.body().toByteArray());
                            MultipartStream parts = MultipartStream.of(request, LIMITS, body);
                            PartStream part = parts.next();
                            String text = part.name() + "=" + part.text();
                            return Reply.text(text);
                        });
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            String body = field("a", "1") + "--B--";
            String length = "Content-Length: " + body.length();
            client.send(Client.request("POST", "/", "Content-Type: " + TYPE, length) + body);
            assertThat(client.answer().body()).isEqualTo("a=1");
            client.send(Client.request("POST", "/", "Content-Type: x/y", length) + body);
            assertThat(client.answer().status()).isEqualTo(415);
            assertThat(rig.failures()).isEmpty();
        }
    }
}
