package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.http1.RequestParser;
import io.bareloop.rig.Allocations;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import io.bareloop.rig.ParsedRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Queries and forms. */
class FormReaderTest {
    private final Arena arena = Arena.ofConfined();
    private final FormReader reader = new FormReader();

    @AfterEach
    void free() {
        arena.close();
    }

    /** In the middle of other bytes, which are none of it. */
    private ByteView view(String latin1) {
        String text = "x=%&" + latin1 + "&y=%";
        MemorySegment in = arena.allocate(text.length());
        in.copyFrom(MemorySegment.ofArray(Bytes.of(text)));
        return new ByteView().set(in, 4, latin1.length());
    }

    private List<String> read(String latin1) {
        List<String> found = new ArrayList<>();
        reader.start(view(latin1));
        while (reader.next()) {
            found.add(reader.name() + "=" + reader.value());
        }
        assertThat(reader.next()).as("once at the end, always").isFalse();
        return found;
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "none",
            value = {
                "'', none",
                "&, none",
                "&&&, none",
                "a=b, a=b",
                "a=b&c=d, a=b|c=d",
                "&a=b&&c=d&, a=b|c=d",
                "a, a=",
                "a=, a=",
                "=, =",
                "=b, =b",
                "a&b, a=|b=",
                "a=b=c, a=b=c",
                "a==, a==",
                "=&=, =|=",
                "a+b=c+d, a b=c d",
                "+=+, ' = '",
                "%61=%62, a=b",
                "%3D=%26, ==&",
                "a%26b=c%3Dd, a&b=c=d",
                "%2B=%25, +=%",
                "%2b=%7e%7E, +=~~",
                "a=b;c=d, a=b;c=d",
                "a=/?:@, a=/?:@",
                "a=%E2%82%AC, a=\u20ac",
                "%c3%a9=1, \u00e9=1",
                "a=%2541, a=%41",
                "a=b&a=c, a=b|a=c"
            })
    void decodes(String input, String expected) {
        String joined = String.join("|", read(input));
        assertThat(joined).isEqualTo(expected == null ? "" : expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "%",
                "%4",
                "%4g",
                "%g4",
                "%%41",
                "% 1",
                "%+1",
                "%-1",
                "a=%",
                "a=%4",
                "a=%4&b=1",
                "a=%&41",
                "%=41",
                "a%4=1",
                "a=%zz",
                "a=%0x",
                "a=b&c=%",
                "%u0041",
                "a=%\u00e9\u00e9"
            })
    void refusesBadEscapes(String input) {
        assertThatThrownBy(() -> read(input))
                .isInstanceOfSatisfying(
                        HttpException.class,
                        e -> assertThat(e.status()).isEqualTo(Status.BAD_REQUEST));
        // And is none the worse for it.
        assertThat(read("a=b")).containsExactly("a=b");
    }

    @Test
    void decodesAnyByte() {
        StringBuilder input = new StringBuilder();
        for (int i = 0; i < 256; i++) {
            input.append(String.format("&%%%02x=%%%02X", i, 255 - i));
        }
        reader.start(view(input.toString()));
        for (int i = 0; i < 256; i++) {
            assertThat(reader.next()).isTrue();
            assertThat(reader.name().length()).isOne();
            assertThat(reader.name().at(0)).isEqualTo((byte) i);
            assertThat(reader.value().at(0)).isEqualTo((byte) (255 - i));
        }
        assertThat(reader.next()).isFalse();
    }

    @Test
    void readsLongInputs() {
        for (int length : new int[] {255, 256, 257, 5000, 1 << 20, 100, 2 << 20}) {
            String value = "v".repeat(length);
            assertThat(read("a=" + value + "&b=" + value))
                    .hasSize(2)
                    .allMatch(parameter -> parameter.length() == length + 2);
            assertThat(read("a=" + "%41".repeat(length)))
                    .containsExactly("a=" + "A".repeat(length));
        }
    }

    @Test
    void agreesWithTheDecoderOfTheJdk() {
        SplittableRandom random = new SplittableRandom(42);
        String plain = "abcXYZ019-._*+~!$'(),;:@/?=";
        for (int round = 0; round < 20_000; round++) {
            StringBuilder input = new StringBuilder();
            for (int i = random.nextInt(40); i > 0; i--) {
                switch (random.nextInt(6)) {
                    case 0 -> input.append('&');
                    case 1 -> input.append('=');
                    case 2 -> input.append(String.format("%%%02x", random.nextInt(0x80)));
                    case 3 -> input.append(random.nextBoolean() ? "%C3%a9" : "%e2%82%AC");
                    default -> input.append(plain.charAt(random.nextInt(plain.length())));
                }
            }
            List<String> expected = new ArrayList<>();
            for (String part : input.toString().split("&", -1)) {
                if (!part.isEmpty()) {
                    int equals = part.indexOf('=');
                    String name = equals < 0 ? part : part.substring(0, equals);
                    String value = equals < 0 ? "" : part.substring(equals + 1);
                    expected.add(decoded(name) + "=" + decoded(value));
                }
            }
            assertThat(read(input.toString())).as("%s", input).isEqualTo(expected);
        }
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    @Test
    void allocatesNothing() throws Exception {
        ByteView view = view("name=value&caf%C3%A9=a+b%20c&empty&=&" + "x=y&".repeat(20));
        Runnable once =
                () -> {
                    reader.start(view);
                    int parameters = 0;
                    int bytes = 0;
                    while (reader.next()) {
                        parameters++;
                        bytes += reader.name().length() + reader.value().length();
                    }
                    if (parameters != 24 || bytes != 9 + 5 + 5 + 5 + 40) {
                        throw new AssertionError(parameters + " " + bytes);
                    }
                };
        assertThat(Allocations.perRound(once)).isZero();
    }

    // ---- of a request

    private Request request(String target) {
        String text = "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
        MemorySegment in = arena.allocate(text.length());
        in.copyFrom(MemorySegment.ofArray(Bytes.of(text)));
        ParsedRequest parsed = new ParsedRequest(Limits.defaults());
        RequestParser parser = new RequestParser(Limits.defaults());
        assertThat(parser.parse(in, 0, text.length(), parsed.head)).isEqualTo(text.length());
        return parsed.view;
    }

    @Test
    void aPlusIsASpaceInFormsAlone() {
        FormReader query = FormReader.forQuery();
        for (FormReader each : new FormReader[] {reader, query}) {
            String plus = each == query ? "+" : " ";
            for (int i = 0; i < 2; i++) {
                each.start(Views.of("a+b=c+%2B&%61+=%2b"));
                assertThat(each.next()).isTrue();
                assertThat(each.name().toString()).isEqualTo("a" + plus + "b");
                assertThat(each.value().toString()).isEqualTo("c" + plus + "+");
                assertThat(each.next()).isTrue();
                assertThat(each.name().toString()).isEqualTo("a" + plus);
                assertThat(each.value().toString()).isEqualTo("+");
                assertThat(each.next()).isFalse();
            }
        }
    }

    @Test
    void findsTheFirstValueOfAQuery() {
        Request request = request("/p?a=1&b=%32%20+&a=3&c&d%20=4&=5&bad=%41");
        assertThat(request.queryValue("a").toString()).isEqualTo("1");
        assertThat(request.queryValue("b").toString()).isEqualTo("2 +");
        assertThat(request.queryValue("c").isEmpty()).isTrue();
        assertThat(request.queryValue("d ").toString()).isEqualTo("4");
        assertThat(request.queryValue("").toString()).isEqualTo("5");
        assertThat(request.queryValue("A")).isNull();
        assertThat(request.queryValue("d%20")).isNull();
        assertThat(request("/p").queryValue("a")).isNull();
        assertThat(request("/p?").queryValue("")).isNull();
        assertThat(request("http://h?a=b").queryValue("a").toString()).isEqualTo("b");
        assertThatThrownBy(() -> request("/?x=%&a=1").queryValue("a"))
                .isInstanceOf(HttpException.class);
        // What comes first is found before what is malformed is met.
        assertThat(request("/?a=1&x=%").queryValue("a").toString()).isEqualTo("1");
    }

    @Test
    void answers400WhereAQueryOrFormIsMalformed() throws Exception {
        Handler handler =
                (request, response) -> {
                    ByteView query = request.queryValue("q");
                    ByteView form = request.formValue("f");
                    // Each has a view of its own.
                    response.body(query + "|" + form);
                };
        try (HttpRig rig = HttpRig.start(handler);
                Client client = Client.connect(rig.port())) {
            assertThat(client.post("/?q=%31", "f=%32+3").answer().body()).isEqualTo("1|2 3");
            assertThat(client.post("/?q=1", "g=%32").answer().body()).isEqualTo("1|null");
            assertThat(client.post("/?q=%3", "f=2").answer().status()).isEqualTo(400);
            assertThat(client.post("/?q=1", "f=%zz").answer().status()).isEqualTo(400);
            assertThat(client.post("/?q=1", "f=2").answer().body()).isEqualTo("1|2");
            assertThat(rig.failures()).isEmpty();
        }
    }
}
