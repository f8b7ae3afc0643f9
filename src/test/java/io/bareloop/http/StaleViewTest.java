package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.wire.Checks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Checked mode: what is used after its time says so, instead of showing another request. */
class StaleViewTest {
    private final Map<String, ByteView> views = new LinkedHashMap<>();
    private final AtomicReference<Request> keptRequest = new AtomicReference<>();
    private final AtomicReference<Response> keptResponse = new AtomicReference<>();
    private final AtomicReference<io.bareloop.http.Client> keptClient = new AtomicReference<>();

    @BeforeAll
    static void isChecked() {
        assertThat(Checks.ENABLED).as("-Dbareloop.checks=true").isTrue();
    }

    private void keep(Request request, Response response) {
        keptRequest.set(request);
        keptResponse.set(response);
        keptClient.set(request.client());
        views.put("client", request.client().text());
        views.put("target", request.target());
        views.put("path", request.path());
        views.put("query", request.query());
        views.put("queryValue", request.queryValue("q"));
        views.put("body", request.body());
        views.put("header", request.header(HeaderName.HOST));
        views.put("headerName", request.headerName(1));
        views.put("headerValue", request.headerValue(1));
        views.put("parameter", request.parameter("p"));
        views.put("rawParameter", request.rawParameter("p"));
        views.put("cookie", request.cookie("c"));
        views.forEach((name, view) -> assertThat(view).as(name).isNotNull());
    }

    private void everythingIsStale() {
        views.forEach(
                (name, view) -> {
                    List<Runnable> uses = new ArrayList<>();
                    uses.add(view::length);
                    uses.add(view::isEmpty);
                    uses.add(() -> view.at(0));
                    uses.add(() -> view.indexOf((byte) 'a', 0));
                    uses.add(() -> view.contentEquals("a"));
                    uses.add(() -> view.contentEqualsIgnoreCase("a"));
                    uses.add(view::toUnsignedLong);
                    uses.add(view::toByteArray);
                    uses.add(() -> assertThat(view.toString()).isNull());
                    for (int i = 0; i < uses.size(); i++) {
                        assertThatThrownBy(uses.get(i)::run)
                                .as("%s, use %s", name, i)
                                .isInstanceOf(IllegalStateException.class)
                                .hasMessageContaining("stale");
                    }
                });

        Request request = keptRequest.get();
        List<Runnable> uses = new ArrayList<>();
        uses.add(request::method);
        uses.add(request::minorVersion);
        uses.add(request::target);
        uses.add(request::path);
        uses.add(request::query);
        uses.add(() -> request.queryValue("q"));
        uses.add(() -> request.header(HeaderName.HOST));
        uses.add(request::headerCount);
        uses.add(() -> request.headerName(0));
        uses.add(() -> request.headerValue(0));
        uses.add(() -> request.parameter("p"));
        uses.add(() -> request.rawParameter("p"));
        uses.add(() -> request.intParameter("p"));
        uses.add(() -> request.longParameter("p"));
        uses.add(() -> request.cookie("c"));
        uses.add(() -> request.queryInt("q"));
        uses.add(() -> request.queryLong("q", 1));
        uses.add(request::body);
        uses.add(request::contentLength);
        uses.add(request::peer);
        uses.add(request::client);
        io.bareloop.http.Client client = keptClient.get();
        if (client != null) {
            uses.add(client::text);
            uses.add(client::address);
            uses.add(client::port);
            uses.add(client::scheme);
            uses.add(client::isForwarded);
        }
        uses.add(request::attachment);
        uses.add(() -> request.attach("a"));
        for (int i = 0; i < uses.size(); i++) {
            assertThatThrownBy(uses.get(i)::run)
                    .as("request, use %s", i)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("stale");
        }

        Response response = keptResponse.get();
        uses.clear();
        uses.add(() -> response.status(Status.OK));
        uses.add(() -> response.earlyHints(Fields.NONE));
        uses.add(() -> response.cookie(Cookie.builder("a", "b").build()));
        uses.add(() -> response.attachment("a"));
        uses.add(() -> response.redirect(Status.FOUND, "/"));
        uses.add(() -> response.contentType(MediaType.TEXT));
        uses.add(() -> response.header(HeaderName.ETAG, "a"));
        uses.add(() -> response.body("a"));
        uses.add(() -> response.body(new byte[1]));
        uses.add(() -> response.send(Prepared.text("a")));
        uses.add(() -> response.send(Reply.text("a")));
        uses.add(response::stream);
        uses.add(() -> response.stream(1));
        uses.add(() -> response.write(new byte[1]));
        uses.add(response::end);
        uses.add(response::suspend);
        for (int i = 0; i < uses.size(); i++) {
            assertThatThrownBy(uses.get(i)::run)
                    .as("response, use %s", i)
                    .isInstanceOf(IllegalStateException.class);
        }
        assertThat(response.hasEnded()).isTrue();
        assertThat(response.isWritable()).isFalse();
    }

    private static final String REQUEST =
            "POST /a?q=1 HTTP/1.1\r\nHost: a\r\nCookie: c=d\r\nContent-Length: 4\r\n\r\nbody";

    @Test
    void endsWithTheHandler() throws Exception {
        Router router =
                Router.builder()
                        .post(
                                "/{p}",
                                (request, response) -> {
                                    keep(request, response);
                                    response.body("ok");
                                })
                        .get("/next", Prepared.text("next"))
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            assertThat(client.send(REQUEST).answer().body()).isEqualTo("ok");
            rig.ask(
                    () -> {
                        everythingIsStale();
                        return true;
                    });
            // Also while and after the loop serves others, with objects of their own.
            assertThat(client.get("/next").body()).isEqualTo("next");
            rig.ask(
                    () -> {
                        everythingIsStale();
                        return true;
                    });
        }
    }

    @Test
    void endsWithARequestWithoutABody() throws Exception {
        Handler handler =
                (request, response) -> {
                    if (keptRequest.get() == null) {
                        keptRequest.set(request);
                        keptResponse.set(response);
                        views.put("path", request.path());
                        response.body("ok");
                    } else {
                        everythingIsStale();
                        assertThat(request).isNotSameAs(keptRequest.get());
                        response.body("second");
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.ask("/").ask("/");
            assertThat(client.answer().body()).isEqualTo("ok");
            assertThat(client.answer().body()).isEqualTo("second");
            assertThat(rig.failures()).isEmpty();
        }
    }

    @Test
    void endsWithTheResponseWhereThatComesLater() throws Exception {
        AtomicReference<Suspended> suspended = new AtomicReference<>();
        Router router =
                Router.builder()
                        .post(
                                "/{p}",
                                (request, response) -> {
                                    keep(request, response);
                                    suspended.set(response.suspend());
                                })
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            client.send(REQUEST);
            HttpRig.await(true, () -> suspended.get() != null);
            rig.ask(
                    () -> {
                        // The request has been moved: what was handed out before is set anew.
                        assertThat(keptRequest.get().path().toString()).isEqualTo("/a");
                        keep(keptRequest.get(), keptResponse.get());
                        assertThat(views.get("body").toString()).isEqualTo("body");
                        return true;
                    });
            suspended.get().resume((request, response) -> response.body("later"));
            assertThat(client.answer().body()).isEqualTo("later");
            rig.ask(
                    () -> {
                        everythingIsStale();
                        return true;
                    });
        }
    }

    @Test
    void endsWithAFailure() throws Exception {
        Router router =
                Router.builder()
                        .post(
                                "/{p}",
                                (request, response) -> {
                                    keep(request, response);
                                    throw new HttpException(Status.CONFLICT, null);
                                })
                        .build();
        try (HttpRig rig = HttpRig.start(router);
                Client client = Client.connect(rig.port())) {
            assertThat(client.send(REQUEST).answer().status()).isEqualTo(409);
            rig.ask(
                    () -> {
                        everythingIsStale();
                        return true;
                    });
        }
    }

    @Test
    void endsWithThePiece() throws Exception {
        List<ByteView> pieces = new ArrayList<>();
        AtomicReference<String> seen = new AtomicReference<>("");
        StreamHandler handler =
                new StreamHandler() {
                    @Override
                    public void begin(Request request, Response response) {
                        keptRequest.set(request);
                        keptResponse.set(response);
                    }

                    @Override
                    public void piece(Request request, Response response, ByteView piece) {
                        pieces.forEach(StaleViewTest::isStale);
                        seen.updateAndGet(before -> before + piece);
                        pieces.add(piece);
                    }

                    @Override
                    public void end(Request request, Response response) {
                        pieces.forEach(StaleViewTest::isStale);
                        assertThat(request.path().toString()).isEqualTo("/");
                        response.body("ok");
                    }
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.send("3\r\nabc\r\n1\r\nd\r\n3\r\nefg\r\n0\r\n\r\n");
            assertThat(client.answer().body()).isEqualTo("ok");
            assertThat(seen).hasValue("abcdefg");
            assertThat(pieces).hasSizeGreaterThanOrEqualTo(3);
            rig.ask(
                    () -> {
                        everythingIsStale();
                        return true;
                    });
            assertThat(rig.failures()).isEmpty();
        }
    }

    private static void isStale(ByteView view) {
        assertThatThrownBy(view::length).isInstanceOf(IllegalStateException.class);
    }
}
