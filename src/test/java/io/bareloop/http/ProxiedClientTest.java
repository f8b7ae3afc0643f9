package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.http1.RequestParser;
import io.bareloop.rig.Allocations;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.ParsedRequest;
import io.bareloop.wire.AddressReader;
import io.bareloop.wire.Networks;
import io.bareloop.wire.Peer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who asks, behind proxies of all kinds. */
class ProxiedClientTest {
    private static final int ROUNDS = 50_000;
    private static final Networks TRUSTED =
            Networks.of("127.0.0.0/8", "10.0.0.0/8", "::1", "fd00::/8");

    /** Of what hostile fields are put together, and some that are not. */
    private static final String[] PIECES = {
        "for=",
        "For=",
        "FOR=",
        "proto=",
        "by=",
        "host=",
        "secret=",
        "192.0.2.1",
        "10.0.0.1",
        "10.0.0.2",
        "127.0.0.1",
        "\"[2001:db8::1]\"",
        "\"[fd00::1]:4711\"",
        "\"192.0.2.9:80\"",
        "\"10.1.2.3:_x\"",
        "\"",
        "\"",
        "\\",
        "unknown",
        "_hidden",
        "https",
        "http",
        "HTTPS",
        "wss",
        ";",
        ";",
        ",",
        ",",
        ", ",
        " ",
        "\t",
        "=",
        "[",
        "]",
        ":",
        "256.1.1.1",
        "01.2.3.4",
        "example",
        "\"[::1]:99999\"",
        "\"[1.2.3.4]\"",
        "\"[::ffff:10.0.0.7]\"",
        "\"\\1\\0.0.0.1\"",
        "\u00e9",
        "\"_a b\"",
        "x".repeat(70),
        "for=10.0.0.1, ",
        "for=192.0.2.7;proto=https, ",
        ",for=10.0.0.1",
        ",for=10.0.0.3;proto=https",
        ",for=\"[fd00::1]:4711\";by=x",
        ",for=6.6.6.6",
    };

    private final ParsedRequest parsed = new ParsedRequest(Limits.defaults(), TRUSTED);
    private final Request request = parsed.view;
    private final RequestParser parser = new RequestParser(Limits.defaults());
    private final Peer peer = new Peer();

    ProxiedClientTest() {
        parsed.head.sentBy(() -> peer);
        peer("127.0.0.1", 5555);
    }

    /** What is sent, who is found, how, and whether a proxy has said so; {@code |} parts lines. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            quoteCharacter = '\'',
            value = {
                // RFC 7239, section 4.
                "for=192.0.2.60;proto=http;by=203.0.113.43 ! 192.0.2.60 ! 0 ! http",
                "For=\"[2001:db8:cafe::17]:4711\" ! 2001:db8:cafe::17 ! 4711 ! http",
                "for=192.0.2.43, for=198.51.100.17 ! 198.51.100.17 ! 0 ! http",
                "for=192.0.2.43 | for=198.51.100.17 ! 198.51.100.17 ! 0 ! http",
                "for=\"_gazonk\" ! 127.0.0.1 ! 5555 ! http",
                "for=unknown ! 127.0.0.1 ! 5555 ! http",
                // Past those that are trusted.
                "for=192.0.2.1;proto=https, for=10.0.0.1;proto=http ! 192.0.2.1 ! 0 ! https",
                "for=192.0.2.1;proto=https | for=10.0.0.1, for=10.2.2.2 ! 192.0.2.1 ! 0 ! https",
                "for=192.0.2.1, for=10.0.0.1;proto=https ! 192.0.2.1 ! 0 ! https",
                "for=10.0.0.1, for=10.0.0.2 ! 10.0.0.1 ! 0 ! http",
                "for=\"[fd00::9]\",for=\"[::ffff:10.0.0.1]\" ! fd00::9 ! 0 ! http",
                // Not past those that are not, whatever they say.
                "for=10.0.0.1;proto=https, for=192.0.2.1;proto=http ! 192.0.2.1 ! 0 ! http",
                "for=127.0.0.1, for=\"192.0.2.1:80\" ! 192.0.2.1 ! 80 ! http",
                // Hidden: the last one before, and how it was asked.
                "for=192.0.2.1, for=_hidden;proto=https, for=10.0.0.1 ! 10.0.0.1 ! 0 ! https",
                "for=192.0.2.1, proto=https ! 127.0.0.1 ! 5555 ! https",
                "for=192.0.2.1, for=unknown, for=10.0.0.3 ! 10.0.0.3 ! 0 ! http",
                // Quotes, escapes, case, empty elements and pairs.
                "FOR=\"192.0.2.1\";Proto=\"HTTPS\" ! 192.0.2.1 ! 0 ! https",
                "for=\"\\1\\92.0.2.1\" ! 192.0.2.1 ! 0 ! http",
                ", ,for=192.0.2.1 ,, ! 192.0.2.1 ! 0 ! http",
                ";for=192.0.2.1;;proto=https; ! 192.0.2.1 ! 0 ! https",
                "host=\"a,for=6.6.6.6\";for=192.0.2.1 ! 192.0.2.1 ! 0 ! http",
                "for=192.0.2.1;x=\"for=6.6.6.6\";x=y ! 192.0.2.1 ! 0 ! http",
                "for=\"192.0.2.1:_port\" ! 192.0.2.1 ! 0 ! http",
                "for=\"192.0.2.1:65535\" ! 192.0.2.1 ! 65535 ! http",
                // Malformed: as if nothing was there.
                "for=192.0.2.1:80 ! 127.0.0.1 ! 5555 ! http",
                "for=\"192.0.2.1:\" ! 127.0.0.1 ! 5555 ! http",
                "for=\"192.0.2.1:65536\" ! 127.0.0.1 ! 5555 ! http",
                "for=\"192.0.2.1:000080\" ! 127.0.0.1 ! 5555 ! http",
                "for=[2001:db8::1] ! 127.0.0.1 ! 5555 ! http",
                "for=\"2001:db8::1\" ! 127.0.0.1 ! 5555 ! http",
                "for=\"[192.0.2.1]\" ! 127.0.0.1 ! 5555 ! http",
                "for=\"[2001:db8::1\" ! 127.0.0.1 ! 5555 ! http",
                "for=\"[2001:db8::1]x\" ! 127.0.0.1 ! 5555 ! http",
                "for=\"[fe80::1%eth0]\" ! 127.0.0.1 ! 5555 ! http",
                "for=192.0.2.1;for=192.0.2.2 ! 127.0.0.1 ! 5555 ! http",
                "for=192.0.2.1;FOR=192.0.2.1;proto=https ! 127.0.0.1 ! 5555 ! http",
                "for= 192.0.2.1 ! 127.0.0.1 ! 5555 ! http",
                "for =192.0.2.1 ! 127.0.0.1 ! 5555 ! http",
                "for=192.0.2.1 ;proto=https ! 127.0.0.1 ! 5555 ! http",
                "for=192.0.2.1; proto=https ! 127.0.0.1 ! 5555 ! http",
                "for ! 127.0.0.1 ! 5555 ! http",
                "for= ! 127.0.0.1 ! 5555 ! http",
                "for=\"\" ! 127.0.0.1 ! 5555 ! http",
                "=192.0.2.1 ! 127.0.0.1 ! 5555 ! http",
                "for=localhost ! 127.0.0.1 ! 5555 ! http",
                "for=0300.0.2.1 ! 127.0.0.1 ! 5555 ! http",
                "192.0.2.1 ! 127.0.0.1 ! 5555 ! http",
                // What a client has sent must not hide what the proxy has added behind it.
                "for=\"6.6.6.6, for=192.0.2.1 ! 192.0.2.1 ! 0 ! http",
                "for=\"6.6.6.6, for=\"[2001:db8::1]\" ! 2001:db8::1 ! 0 ! http",
                "for=\"\\, for=\"[2001:db8::1]:1\";proto=https ! 2001:db8::1 ! 1 ! https",
                "a\"b, for=6.6.6.6, for=192.0.2.1 ! 192.0.2.1 ! 0 ! http",
                "\", for=192.0.2.1 ! 192.0.2.1 ! 0 ! http",
                "for=6.6.6.6;\\, for=192.0.2.1 ! 192.0.2.1 ! 0 ! http",
                "for=\" | for=192.0.2.1;proto=https ! 192.0.2.1 ! 0 ! https",
                "for=6.6.6.6, for=\"192.0.2.1, for=10.0.0.1 ! 10.0.0.1 ! 0 ! http",
            })
    void isFoundByForwarded(String lines, String text, int port, String scheme) {
        parse("Forwarded: ", lines);
        expect(text, port, scheme, port != 5555);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "192.0.2.1 ! 192.0.2.1 ! 0",
                "6.6.6.6, 192.0.2.1 ! 192.0.2.1 ! 0",
                "6.6.6.6,192.0.2.1,10.0.0.1 ! 192.0.2.1 ! 0",
                "6.6.6.6 | 192.0.2.1 | 10.0.0.1 , 10.0.0.2 ! 192.0.2.1 ! 0",
                "192.0.2.1:8080 ! 192.0.2.1 ! 8080",
                "2001:db8::1 ! 2001:db8::1 ! 0",
                "[2001:db8::1] ! 2001:db8::1 ! 0",
                "[2001:db8::1]:443 ! 2001:db8::1 ! 443",
                "::ffff:192.0.2.1 ! 192.0.2.1 ! 0",
                ", 192.0.2.1 , ! 192.0.2.1 ! 0",
                "6.6.6.6, unknown, 10.0.0.1 ! 10.0.0.1 ! 0",
                "6.6.6.6, x, 10.0.0.1 ! 10.0.0.1 ! 0",
                "6.6.6.6, \"192.0.2.1\" ! 127.0.0.1 ! 5555",
                "192.0.2.1 192.0.2.2 ! 127.0.0.1 ! 5555",
                "192.0.2.1:99999 ! 127.0.0.1 ! 5555",
                "2001:db8::1:80:x ! 127.0.0.1 ! 5555",
                "10.0.0.1 ! 10.0.0.1 ! 0",
            })
    void isFoundByForwardedFor(String lines, String text, int port) {
        parse("X-Forwarded-For: ", lines);
        expect(text, port, "http", port != 5555);
        parse("X-Forwarded-Proto: https\r\nX-Forwarded-For: ", lines);
        expect(text, port, "https", port != 5555);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                // Of each hop, or once.
                "192.0.2.1, 10.0.0.1 ! https, http ! https",
                "192.0.2.1, 10.0.0.1 ! http, https ! http",
                "6.6.6.6, 192.0.2.1 ! https, http ! http",
                "192.0.2.1, 10.0.0.1 ! https ! https",
                "192.0.2.1 ! http, https ! https",
                "192.0.2.1 ! HTTPS ! https",
                "192.0.2.1 ! wss ! http",
            })
    void theSchemeIsThatOfItsHop(String hops, String schemes, String scheme) {
        parse("X-Forwarded-Proto: " + schemes + "\r\nX-Forwarded-For: ", hops);
        expect("192.0.2.1", 0, scheme, true);
    }

    @Test
    void theSchemeAloneIsBelievedToo() {
        parse("X-Forwarded-Proto: ", "https");
        expect("127.0.0.1", 5555, "https", false);
    }

    /** One of the two may be what the client has sent, and the proxy has let pass. */
    @Test
    void whoContradictsIsNotBelieved() {
        parse("X-Forwarded-For: 192.0.2.1\r\nForwarded: ", "for=6.6.6.6;proto=https");
        expect("127.0.0.1", 5555, "http", false);
        parse("X-Forwarded-For: 6.6.6.6\r\nForwarded: ", "for=192.0.2.1;proto=https");
        expect("127.0.0.1", 5555, "http", false);
        parse(
                "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nForwarded: ",
                "for=\"192.0.2.1:80\"");
        expect("192.0.2.1", 80, "https", true);
    }

    @Test
    void nobodyIsBelievedWhoIsNotTrusted() {
        for (String other : List.of("192.0.2.99", "2001:db8::99", "")) {
            peer(other, 77);
            parse(
                    "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\nForwarded: ",
                    "for=192.0.2.1;proto=https");
            expect(other, other.isEmpty() ? 0 : 77, "http", false);
        }
        assertThat(request.client().address()).isNull();
        assertThat(request.peer()).isNull();
    }

    @Test
    void theWalkIsBounded() {
        for (int hops : new int[] {1, 31, 32, 33, 64, 200}) {
            String chain = "for=192.0.2.1" + ",for=10.0.0.1".repeat(hops - 1);
            parse("Forwarded: ", chain);
            expect(hops <= ProxyChain.HOPS_MAX ? "192.0.2.1" : "10.0.0.1", 0, "http", true);
            parse("X-Forwarded-For: ", chain.replace("for=", ""));
            expect(hops <= ProxyChain.HOPS_MAX ? "192.0.2.1" : "10.0.0.1", 0, "http", true);
        }
    }

    @Test
    void tellsTheOtherEnd() throws Exception {
        peer("2001:db8::7", 1234);
        parse("Forwarded: ", "for=192.0.2.1");
        InetAddress address = InetAddress.getByName("2001:db8::7");
        assertThat(request.peer()).isEqualTo(new InetSocketAddress(address, 1234));
        assertThat(request.client().address()).isEqualTo(address);
        assertThat(request.client().text()).isSameAs(request.client().text());
    }

    @Test
    void agreesWithTheReference() throws Exception {
        Random random = new Random(7239);
        int forwarded = 0;
        for (int round = 0; round < ROUNDS; round++) {
            List<String> lines = new ArrayList<>();
            for (int i = random.nextInt(2); i >= 0; i--) {
                StringBuilder line = new StringBuilder();
                for (int pieces = random.nextInt(12); pieces >= 0; pieces--) {
                    line.append(PIECES[random.nextInt(PIECES.length)]);
                }
                lines.add(line.toString());
            }
            parse("Forwarded: ", String.join("|", lines));
            List<String> stripped =
                    lines.stream().map(line -> line.replaceAll("^[ \t]+|[ \t]+$", "")).toList();
            ForwardedReference.Found expected =
                    ForwardedReference.find(
                            InetAddress.getLoopbackAddress(),
                            stripped,
                            ProxiedClientTest::isTrusted);
            Client client = request.client();
            ForwardedReference.Found found =
                    new ForwardedReference.Found(
                            client.address(),
                            client.isForwarded() ? client.port() : 0,
                            client.scheme(),
                            client.isForwarded());
            if (!found.equals(expected)) {
                throw new AssertionError(stripped + ": " + found + ", not " + expected);
            }
            forwarded += client.isForwarded() ? 1 : 0;
        }
        assertThat(forwarded).as("as many must say something").isGreaterThan(ROUNDS / 50);
    }

    @Test
    void allocatesNothing() throws InterruptedException {
        parse(
                "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\nForwarded: ",
                "for=192.0.2.1;proto=https, for=\"10.0.0.1:80\"");
        long[] sum = {0};
        long bytes =
                Allocations.perRound(
                        () -> {
                            Client client = request.client();
                            sum[0] += client.text().length() + client.port();
                            sum[0] += client.scheme().length();
                        });
        assertThat(bytes).isZero();
        assertThat(sum[0]).isPositive();
    }

    private void expect(String text, int port, String scheme, boolean forwarded) {
        Client client = request.client();
        assertThat(client.text().toString()).isEqualTo(text);
        assertThat(client.port()).isEqualTo(port);
        assertThat(client.scheme()).isEqualTo(scheme);
        assertThat(client.isForwarded()).isEqualTo(forwarded);
    }

    private static boolean isTrusted(InetAddress address) {
        byte[] bytes = address.getAddress();
        Peer peer = new Peer();
        peer.set(MemorySegment.ofArray(bytes), 0, bytes.length, 0);
        return TRUSTED.contains(peer);
    }

    private void peer(String text, int port) {
        byte[] bytes = Bytes.of(text);
        if (new AddressReader().read(MemorySegment.ofArray(bytes), 0, bytes.length, peer)) {
            peer.port(port);
        }
    }

    private void parse(String name, String lines) {
        StringBuilder text = new StringBuilder("GET / HTTP/1.1\r\nHost: a\r\n");
        String last = name.substring(name.lastIndexOf('\n') + 1);
        String[] all = lines.split("\\|", -1);
        text.append(name).append(all[0]).append("\r\n");
        Arrays.stream(all).skip(1).forEach(line -> text.append(last).append(line).append("\r\n"));
        byte[] bytes = Bytes.of(text.append("\r\n").toString());
        MemorySegment in = Arena.ofAuto().allocate(bytes.length);
        in.copyFrom(MemorySegment.ofArray(bytes));
        assertThat(parser.parse(in, 0, bytes.length, parsed.head)).isEqualTo(bytes.length);
        parsed.head.body(bytes.length, bytes.length);
    }
}
