package io.bareloop.server;

import static io.bareloop.http.Blocking.blocking;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http.Client;
import io.bareloop.http.Handler;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Router;
import io.bareloop.http.Suspended;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is at the other end of real connections. */
@Timeout(30)
class PeerTest {
    private final AtomicInteger asked = new AtomicInteger();
    private volatile int errno;

    private static String describe(Request request) {
        Client client = request.client();
        return request.peer()
                + " "
                + client.text()
                + " "
                + client.port()
                + " "
                + client.scheme()
                + (client.isForwarded() ? " forwarded" : "");
    }

    private HttpServer start(Handler handler, String host, String... proxies) throws IOException {
        return HttpServer.builder()
                .listen(host, 0)
                .cpus(CpuSet.unpinned(1))
                .handler(handler)
                .trustedProxies(proxies)
                .syscalls(Counting::new)
                .start();
    }

    /** The kernel is asked once for a connection, however many requests come, and each anew. */
    @Test
    void isAskedForOnceAConnection() throws IOException {
        Handler handler = (request, response) -> response.body(describe(request));
        try (HttpServer server = start(handler, "127.0.0.1")) {
            for (int connection = 1; connection <= 3; connection++) {
                try (Socket socket = connect(server, "127.0.0.1")) {
                    int port = socket.getLocalPort();
                    for (int i = 0; i < 3; i++) {
                        assertThat(ask(socket, "/", "X-Forwarded-For: 192.0.2.1"))
                                .isEqualTo("/127.0.0.1:" + port + " 127.0.0.1 " + port + " http");
                    }
                }
                assertThat(asked).hasValue(connection);
            }
        }
    }

    @Test
    void nobodyIsAskedInVain() throws IOException {
        try (HttpServer server =
                        start(
                                (request, response) -> response.body(new byte[1]),
                                "127.0.0.1",
                                "::1");
                Socket socket = connect(server, "127.0.0.1")) {
            ask(socket, "/");
            assertThat(asked).hasValue(0);
        }
    }

    @Test
    void aTrustedProxySaysForWhomItSpeaks() throws IOException {
        Handler handler = (request, response) -> response.body(describe(request));
        try (HttpServer server = start(handler, "127.0.0.1", "127.0.0.1");
                Socket socket = connect(server, "127.0.0.1")) {
            String peer = "/127.0.0.1:" + socket.getLocalPort() + " ";
            assertThat(ask(socket, "/", "Forwarded: for=\"[2001:db8::1]:80\";proto=https"))
                    .isEqualTo(peer + "2001:db8::1 80 https forwarded");
            assertThat(ask(socket, "/", "X-Forwarded-For: 6.6.6.6, 192.0.2.1"))
                    .isEqualTo(peer + "192.0.2.1 0 http forwarded");
            // What the request before has said is forgotten.
            assertThat(ask(socket, "/"))
                    .isEqualTo(peer + "127.0.0.1 " + socket.getLocalPort() + " http");
        }
    }

    /** A listener of both families sees IPv4 clients in the clothes of IPv6. */
    @Test
    void anIpv4ClientIsOneOnEitherListener() throws IOException {
        Handler handler = (request, response) -> response.body(describe(request));
        try (HttpServer server = start(handler, "::", "127.0.0.0/8")) {
            try (Socket socket = connect(server, "127.0.0.1")) {
                int port = socket.getLocalPort();
                assertThat(ask(socket, "/"))
                        .isEqualTo("/127.0.0.1:" + port + " 127.0.0.1 " + port + " http");
                assertThat(ask(socket, "/", "X-Forwarded-For: 192.0.2.1"))
                        .endsWith("192.0.2.1 0 http forwarded");
            }
            try (Socket socket = connect(server, "::1")) {
                int port = socket.getLocalPort();
                assertThat(ask(socket, "/", "X-Forwarded-For: 192.0.2.1"))
                        .isEqualTo("/[0:0:0:0:0:0:0:1]:" + port + " ::1 " + port + " http");
            }
        }
    }

    /** On its own thread, also once the connection has gone and another has its place. */
    @Test
    void aBlockingHandlerKnowsItToo() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch replaced = new CountDownLatch(1);
        AtomicReference<String> late = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(1);
        Handler handler =
                Router.builder()
                        .get("/", blocking(request -> Reply.text(describe(request))))
                        .get(
                                "/late",
                                blocking(
                                        request -> {
                                            begun.countDown();
                                            assertThat(replaced.await(10, TimeUnit.SECONDS))
                                                    .isTrue();
                                            late.set(describe(request));
                                            done.countDown();
                                            return Reply.text("");
                                        }))
                        .build();
        try (HttpServer server = start(handler, "127.0.0.1", "127.0.0.1")) {
            int port;
            try (Socket socket = connect(server, "127.0.0.1")) {
                port = socket.getLocalPort();
                assertThat(ask(socket, "/", "X-Forwarded-For: 192.0.2.1"))
                        .isEqualTo("/127.0.0.1:" + port + " 192.0.2.1 0 http forwarded");
                send(socket, "/late");
                assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
                socket.setSoLinger(true, 0);
            }
            try (Socket socket = connect(server, "127.0.0.1")) {
                assertThat(ask(socket, "/")).contains(":" + socket.getLocalPort());
                replaced.countDown();
                assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(late.get()).isEqualTo("/127.0.0.1:" + port + " 127.0.0.1 " + port + " http");
        }
    }

    @Test
    void aSuspendedRequestKnowsItToo() throws Exception {
        Handler body = (asked, out) -> out.body(describe(asked));
        Handler handler =
                (request, response) -> {
                    Suspended later = response.suspend();
                    Thread.ofVirtual().start(() -> later.resume(body));
                };
        try (HttpServer server = start(handler, "127.0.0.1");
                Socket socket = connect(server, "127.0.0.1")) {
            assertThat(ask(socket, "/")).contains("127.0.0.1 " + socket.getLocalPort() + " ");
        }
    }

    /** ENOTCONN: a reset has come while the request was on its way to the handler. */
    @Test
    void whomTheKernelHasForgottenIsNobody() throws IOException {
        errno = Errno.ENOTCONN;
        Handler handler = (request, response) -> response.body(describe(request));
        try (HttpServer server = start(handler, "127.0.0.1", "0.0.0.0/0", "::/0");
                Socket socket = connect(server, "127.0.0.1")) {
            assertThat(ask(socket, "/", "X-Forwarded-For: 192.0.2.1")).isEqualTo("null  0 http");
        }
    }

    @Test
    void whatIsNoNetworkIsRefusedWhenItIsSet() {
        assertThatThrownBy(() -> HttpServer.builder().trustedProxies("10.0.0.0/8", "localhost"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("localhost")
                .hasMessageContaining("10.0.0.0/8");
    }

    private static Socket connect(HttpServer server, String literal) throws IOException {
        return new Socket(InetAddress.getAllByName(literal)[0], server.port());
    }

    private static void send(Socket socket, String target, String... fields) throws IOException {
        StringBuilder text = new StringBuilder("GET " + target + " HTTP/1.1\r\nHost: a\r\n");
        for (String field : fields) {
            text.append(field).append("\r\n");
        }
        socket.getOutputStream()
                .write(text.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
    }

    private static String ask(Socket socket, String target, String... fields) throws IOException {
        send(socket, target, fields);
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) socket.getInputStream().read());
        }
        String mark = "Content-Length: ";
        int at = head.indexOf(mark) + mark.length();
        int length = Integer.parseInt(head.substring(at, head.indexOf("\r\n", at)));
        return new String(socket.getInputStream().readNBytes(length), StandardCharsets.UTF_8);
    }

    /** Counts how often the kernel is asked, and has it refuse where a test says so. */
    private final class Counting extends Syscalls {
        Counting(Arena arena) {
            super(arena);
        }

        @Override
        public int getpeername(int fd, MemorySegment address) {
            asked.incrementAndGet();
            return errno != 0 ? -errno : super.getpeername(fd, address);
        }
    }
}
