package io.bareloop.server;

import static io.bareloop.server.Compressing.BODY;
import static io.bareloop.server.Compressing.GZIP;
import static io.bareloop.server.Compressing.TEXT;
import static io.bareloop.server.Compressing.assertCompressed;
import static io.bareloop.server.Compressing.assertPlain;
import static io.bareloop.server.Compressing.get;
import static io.bareloop.server.Compressing.start;
import static io.bareloop.server.Compressing.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http.Blocking;
import io.bareloop.http.Compression;
import io.bareloop.http.Fields;
import io.bareloop.http.Filter;
import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Reply;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.rig.Answer;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.Gunzip;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Responses are compressed, over sockets, and every byte of them comes back. */
@Timeout(60)
class CompressionTest {
    private static final HeaderName ETAG = HeaderName.of("ETag");

    // ---- whole bodies

    /** Each way in which a whole body comes. */
    @ParameterizedTest
    @ValueSource(strings = {"array", "view", "memory", "heap", "prepared", "reply"})
    void wholeBodiesAreCompressed(String kind) throws IOException {
        MemorySegment memory = Bytes.nativeSegment(BODY);
        Prepared prepared = Prepared.of(Status.OK, MediaType.TEXT, BODY);
        Handler handler =
                switch (kind) {
                    case "array" -> (request, response) -> text(response).body(BODY);
                    case "view" -> (request, response) -> text(response).body(request.body());
                    case "memory" ->
                            (request, response) -> text(response).body(memory, 0, BODY.length);
                    case "heap" ->
                            (request, response) ->
                                    text(response)
                                            .body(MemorySegment.ofArray(BODY), 0, BODY.length);
                    case "prepared" -> prepared;
                    default -> Blocking.blocking(request -> Reply.text(TEXT));
                };
        try (HttpServer server = start(handler);
                Client client = Client.connect(server.port())) {
            String length = "Content-Length: " + BODY.length;
            // Thrice on one connection, so that what is used again is, and then without.
            for (int i = 0; i < 3; i++) {
                client.send(Client.request("POST", "/", GZIP, length) + TEXT);
                assertCompressed(client.answer(), TEXT);
            }
            client.send(Client.request("POST", "/", length) + TEXT);
            Answer plain = client.answer();
            assertPlain(plain, TEXT);
            assertThat(plain.values("Vary")).containsExactly("Accept-Encoding");
        }
    }

    /** A HEAD has the fields of the GET, and the connection goes on behind it. */
    @ParameterizedTest
    @ValueSource(strings = {"whole", "prepared", "stream"})
    void aHeadHasTheFieldsOfTheGet(String kind) throws IOException {
        Prepared prepared = Prepared.of(Status.OK, MediaType.TEXT, BODY);
        Handler handler =
                switch (kind) {
                    case "whole" -> (request, response) -> text(response).body(BODY);
                    case "prepared" -> prepared;
                    default ->
                            (request, response) -> {
                                text(response).stream().write(BODY);
                                response.end();
                            };
                };
        try (HttpServer server = start(handler);
                Client client = Client.connect(server.port())) {
            for (String accepted : new String[] {GZIP, "Accept-Encoding: br"}) {
                client.send(Client.request("HEAD", "/", accepted));
                Answer head = client.answerToHead();
                client.send(Client.request("GET", "/", accepted));
                Answer get = client.answer();
                assertThat(withoutDate(head)).isEqualTo(withoutDate(get));
                assertThat(get.has("Content-Encoding")).isEqualTo(accepted.equals(GZIP));
            }
        }
    }

    private static List<String> withoutDate(Answer answer) {
        return answer.fields().stream().filter(field -> !field.startsWith("Date")).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "1023, text/plain, false, false",
        "1024, text/plain, true, true",
        "65536, text/plain, true, true",
        "65537, text/plain, false, false",
        "2000, TEXT/CSV; charset=utf-8, true, true",
        "2000, application/problem+json, true, true",
        "2000, image/svg+xml, true, true",
        "2000, application/json ; charset=utf-8, true, true",
        "2000, application/json-seq, false, false",
        "2000, image/png, false, false",
        "2000, application/gzip, false, false",
        "0, text/plain, false, false",
    })
    void sizeAndTypeDecide(int size, String type, boolean compressed, boolean varies)
            throws IOException {
        String body = "x".repeat(size);
        MediaType mediaType = MediaType.of(type);
        try (HttpServer server =
                start((request, response) -> response.contentType(mediaType).body(body))) {
            Answer answer = get(server, "/", GZIP);
            assertThat(answer.has("Content-Encoding")).isEqualTo(compressed);
            assertThat(answer.has("Vary")).isEqualTo(varies);
            assertThat(compressed ? Gunzip.text(answer.body()) : answer.body()).isEqualTo(body);
        }
    }

    /** What does not become smaller goes out as it is. */
    @Test
    void noiseIsNotCompressed() throws IOException {
        byte[] noise = new byte[5000];
        new Random(1).nextBytes(noise);
        Prepared prepared = Prepared.of(Status.OK, MediaType.TEXT, noise);
        Router router =
                Router.builder()
                        .get("/whole", (request, response) -> text(response).body(noise))
                        .get("/prepared", prepared)
                        .build();
        try (HttpServer server = start(router)) {
            for (String path : new String[] {"/whole", "/prepared"}) {
                Answer answer = get(server, path, GZIP);
                assertPlain(answer, Bytes.toString(noise));
                assertThat(answer.values("Vary")).containsExactly("Accept-Encoding");
            }
        }
    }

    // ---- what is left alone

    @Test
    void withoutTheOptionNothingIs() throws IOException {
        try (HttpServer server =
                Compressing.builder((request, response) -> text(response).body(BODY)).start()) {
            Answer answer = get(server, "/", GZIP);
            assertPlain(answer, TEXT);
            assertThat(answer.has("Vary")).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Encoding: br",
                "Cache-Control: max-age=60, No-Transform",
                "ETag: \"7\"",
                "Content-Range: bytes 0-9/10",
                "Content-Digest: sha-256=:AA==:",
                "Repr-Digest: sha-256=:AA==:",
                "Digest: sha-256=AA==",
                "Content-MD5: AA==",
            })
    void fieldsOfTheHandlerForbidIt(String field) throws IOException {
        HeaderName name = HeaderName.of(field.substring(0, field.indexOf(':')));
        String value = field.substring(field.indexOf(':') + 2);
        Fields fields = Fields.NONE.with(MediaType.TEXT).with(name, value);
        Router router =
                Router.builder()
                        .get(
                                "/whole",
                                (request, response) ->
                                        text(response).header(name, value).body(BODY))
                        .get(
                                "/always",
                                (request, response) -> {
                                    response.always(name, value);
                                    text(response).body(BODY);
                                })
                        .get(
                                "/stream",
                                (request, response) -> {
                                    response.fields(fields).stream().write(BODY);
                                    response.end();
                                })
                        .get("/prepared", Prepared.of(Status.OK, fields, BODY))
                        .get(
                                "/beside",
                                (request, response) -> {
                                    response.always(name, value);
                                    response.send(Prepared.of(Status.OK, MediaType.TEXT, BODY));
                                })
                        .build();
        try (HttpServer server = start(router)) {
            for (String path : List.of("/whole", "/always", "/stream", "/prepared", "/beside")) {
                Answer answer = get(server, path, GZIP);
                assertThat(answer.body()).as(path).isEqualTo(TEXT);
                assertThat(answer.has("Vary")).as(path).isFalse();
                assertThat(answer.fields()).contains(field);
            }
        }
    }

    @Test
    void aWeakTagAndOtherFieldsDoNot() throws IOException {
        try (HttpServer server =
                start(
                        (request, response) ->
                                text(response)
                                        .header(ETAG, "W/\"7\"")
                                        .header(HeaderName.CACHE_CONTROL, "no-cache")
                                        .header(HeaderName.of("Digesting"), "Content-Encoding: br")
                                        .body(BODY))) {
            assertCompressed(get(server, "/", GZIP), TEXT);
        }
    }

    /** What all responses have may forbid it, too. */
    @Test
    void fieldsOfTheServerForbidIt() throws IOException {
        try (HttpServer server =
                Compressing.builder((request, response) -> text(response).body(BODY))
                        .compression(Compression.defaults())
                        .fields(Fields.NONE.with(HeaderName.CACHE_CONTROL, "no-transform"))
                        .start()) {
            assertPlain(get(server, "/", GZIP), TEXT);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Accept-Encoding: gzip;q=0 | false",
                "Accept-Encoding: identity, gzip;q=0.5 | false",
                "Accept-Encoding: br | false",
                "Accept-Encoding: * | true",
                "accept-encoding: X-GZIP | true",
                "Accept-Encoding: gzip;q=0.001 | true",
                "Accept: gzip | false",
            })
    void theClientDecides(String field, boolean compressed) throws IOException {
        try (HttpServer server = start((request, response) -> text(response).body(BODY))) {
            Answer answer = get(server, "/", field);
            assertThat(answer.has("Content-Encoding")).isEqualTo(compressed);
            assertThat(answer.values("Vary")).containsExactly("Accept-Encoding");
        }
    }

    @Test
    void aListMayStandInSeveralFields() throws IOException {
        try (HttpServer server = start((request, response) -> text(response).body(BODY))) {
            Answer answer = get(server, "/", "Accept-Encoding: br", "Accept-Encoding: gzip;q=0.5");
            assertCompressed(answer, TEXT);
        }
    }

    @Test
    void oneResponseOrRouteIsLeftAlone() throws IOException {
        Filter plain = (request, response) -> response.noCompression();
        Prepared prepared = Prepared.of(Status.OK, MediaType.TEXT, BODY);
        Router router =
                Router.builder()
                        .get(
                                "/one",
                                (request, response) -> text(response).noCompression().body(BODY))
                        .get("/route", plain.before(prepared))
                        .get(
                                "/reply",
                                Blocking.blocking(request -> Reply.text(TEXT).noCompression()))
                        .get("/other", prepared)
                        .build();
        try (HttpServer server = start(router);
                Client client = Client.connect(server.port())) {
            for (String path : List.of("/one", "/route", "/reply")) {
                client.send(Client.request("GET", path, GZIP));
                Answer answer = client.answer();
                assertPlain(answer, TEXT);
                assertThat(answer.has("Vary")).isFalse();
            }
            client.send(Client.request("GET", "/other", GZIP));
            assertCompressed(client.answer(), TEXT);
        }
    }

    /** A Vary of the handler's stays, and is not doubled. */
    @ParameterizedTest
    @CsvSource({
        "'Origin', 'Origin|Accept-Encoding'",
        "'Origin, accept-encoding', 'Origin, accept-encoding'",
        "*, *"
    })
    void varyIsSaidOnce(String vary, String expected) throws IOException {
        Prepared prepared =
                Prepared.of(
                        Status.OK,
                        Fields.NONE.with(MediaType.TEXT).with(HeaderName.VARY, vary),
                        BODY);
        Router router =
                Router.builder()
                        .get("/prepared", prepared)
                        .get(
                                "/whole",
                                (request, response) ->
                                        text(response).header(HeaderName.VARY, vary).body(BODY))
                        .build();
        try (HttpServer server = start(router)) {
            for (String path : List.of("/prepared", "/whole")) {
                Answer answer = get(server, path, GZIP);
                assertThat(answer.values("Vary"))
                        .containsExactlyInAnyOrder(expected.split("\\|", -1));
                assertThat(Gunzip.text(answer.body())).isEqualTo(TEXT);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 205, 304})
    void aStatusWithoutBodyIsLeftAlone(int code) throws IOException {
        Router router =
                Router.builder()
                        .get(
                                "/whole",
                                (request, response) ->
                                        text(response.status(Status.of(code))).body(BODY))
                        .get(
                                "/stream",
                                (request, response) -> {
                                    text(response.status(Status.of(code))).stream().write(BODY);
                                    response.end();
                                })
                        .build();
        try (HttpServer server = start(router)) {
            for (String path : List.of("/whole", "/stream")) {
                assertPlain(get(server, path, GZIP), "");
            }
        }
    }

    /** Two servers that compress each in another way send the same object. */
    @Test
    void aPreparedResponseIsForSeveralServers() throws IOException {
        Prepared prepared = Prepared.of(Status.OK, MediaType.TEXT, BODY);
        Compression none = Compression.builder().types("image/*").build();
        for (int level = 1; level < 9; level++) {
            Compression other = Compression.builder().level(level).build();
            try (HttpServer first = start(prepared, other);
                    HttpServer second = start(prepared, none)) {
                Answer answer = get(first, "/", GZIP);
                String body = answer.body();
                assertThat(answer.has("Content-Encoding") ? Gunzip.text(body) : body)
                        .isEqualTo(TEXT);
                assertPlain(get(second, "/", GZIP), TEXT);
            }
        }
    }

    // ---- errors

    @Test
    void whatFailsIsAnsweredAsAWhole() throws IOException {
        String page = "<p>no such thing</p>".repeat(200);
        Router router =
                Router.builder()
                        .get(
                                "/stream",
                                (request, response) -> {
                                    text(response).stream().write(BODY);
                                    throw HttpException.of(Status.CONFLICT);
                                })
                        .get("/fine", (request, response) -> text(response).body(BODY))
                        .build();
        try (HttpServer server =
                        Compressing.builder(router)
                                .compression(Compression.builder().streamsMax(1).build())
                                .error(
                                        Status.CONFLICT,
                                        (request, response, error) ->
                                                response.contentType(MediaType.HTML).body(page))
                                .start();
                Client client = Client.connect(server.port())) {
            // The deflater of each comes back, for there is one alone.
            for (int i = 0; i < 3; i++) {
                client.send(Client.request("GET", "/stream", GZIP));
                Answer answer = client.answer();
                assertThat(answer.status()).isEqualTo(409);
                assertCompressed(answer, page);
            }
            client.send(Client.request("GET", "/fine", GZIP));
            assertCompressed(client.answer(), TEXT);
        }
    }

    /** Requests that are none have an answer that is small, and no head to look at. */
    @Test
    void whatIsNoRequestIsAnswered() throws IOException {
        try (HttpServer server = start((request, response) -> text(response).body(BODY));
                Client client = Client.connect(server.port())) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n" + GZIP + "\r\nBad Name: 1\r\n\r\n");
            assertThat(client.answer().status()).isEqualTo(400);
        }
    }
}
