package io.bareloop.http1;

import static io.bareloop.http1.HeadOutcome.head;

import io.bareloop.http.Limits;
import io.bareloop.http.Method;
import io.bareloop.rig.Bytes;
import java.util.ArrayList;
import java.util.List;

/** Request heads, valid and not, with what RFC 9110 and RFC 9112 make of them. */
final class RequestHeads {
    /** Small enough to be reached by a table. */
    static final Limits TIGHT =
            Limits.builder().targetBytesMax(40).headBytesMax(256).fieldsMax(4).build();

    private static final String GET = "GET / HTTP/1.1\r\n";
    private static final String HOST = "Host: a\r\n";

    private static final List<Head> VALID = new ArrayList<>();
    private static final List<Head> INVALID = new ArrayList<>();

    static {
        validMethods();
        validTargets();
        validVersions();
        validHosts();
        validFields();
        validFraming();
        validConnections();
        validExpectations();
        validAtTheLimits();

        badMethods();
        badRequestLines();
        badTargets();
        badVersions();
        badLineEnds();
        badNames();
        badValues();
        badHosts();
        badContentLengths();
        badTransferEncodings();
        badExpectations();
        overTheLimits();
    }

    private RequestHeads() {}

    /** A head, the limits it is read with, and what comes out. */
    record Head(String text, Limits limits, HeadOutcome expected) {
        byte[] bytes() {
            return Bytes.of(text);
        }

        /** A test's display name. */
        @Override
        public String toString() {
            String escaped = Bytes.escape(text);
            return escaped.length() <= 120 ? escaped : escaped.substring(0, 120) + "...";
        }
    }

    static List<Head> valid() {
        return List.copyOf(VALID);
    }

    static List<Head> invalid() {
        return List.copyOf(INVALID);
    }

    static List<Head> all() {
        List<Head> all = new ArrayList<>(VALID);
        all.addAll(INVALID);
        return all;
    }

    // ---- valid

    private static void validMethods() {
        for (Method method : Method.values()) {
            valid(method + " /m HTTP/1.1\r\n" + HOST, plain().method(method).target("/m"));
        }
    }

    private static void validTargets() {
        for (String path :
                List.of(
                        "/",
                        "/a",
                        "/plaintext",
                        "/a/b/c",
                        "/a/../b/./c",
                        "//",
                        "//evil.example/x",
                        "/*",
                        "/http://h/",
                        "/a;b=c,d",
                        "/%00%2f%zz%",
                        "/-._~!$&'()*+,;=:@",
                        // Not of RFC 3986, yet harmless, and browsers send some of them.
                        "/\"<>[]\\^`{|}")) {
            valid("GET " + path + " HTTP/1.1\r\n" + HOST, plain().target(path));
        }
        // Every way to lie across the words that are read at once.
        for (int length = 1; length <= 24; length++) {
            String path = "/" + "x".repeat(length - 1);
            valid("GET " + path + " HTTP/1.1\r\n" + HOST, plain().target(path));
        }

        validTarget("/a?b=c", "/a", "b=c");
        validTarget("/a?", "/a", "");
        validTarget("/?", "/", "");
        validTarget("/?a?b=/?", "/", "a?b=/?");
        validTarget("/seven77?q", "/seven77", "q");
        validTarget("/?http://h/", "/", "http://h/");

        validTarget("http://h", "/", "");
        validTarget("http://h/", "/", "");
        validTarget("http://h?q=1", "/", "q=1");
        validTarget("http://h?", "/", "");
        validTarget("http://h/?q", "/", "q");
        validTarget("HTTP://H/P?Q", "/P", "Q");
        validTarget("https://h/x", "/x", "");
        validTarget("http://h:80/x/y?z", "/x/y", "z");
        validTarget("http://h:/x", "/x", "");
        validTarget("http://h:8080", "/", "");
        validTarget("http://[::1]/x", "/x", "");
        validTarget("http://[2001:db8::7]:8080?x", "/", "x");
        validTarget("http://a.b-c_d~e.example/x", "/x", "");

        valid("OPTIONS * HTTP/1.1\r\n" + HOST, plain().method(Method.OPTIONS).target("*"));
    }

    private static void validTarget(String target, String path, String query) {
        valid("GET " + target + " HTTP/1.1\r\n" + HOST, plain().target(target, path, query));
    }

    private static void validVersions() {
        valid("GET / HTTP/1.0\r\n", head().minorVersion(0).noHost());
        valid("GET / HTTP/1.0\r\n" + HOST, plain().minorVersion(0));
        valid(
                "POST /x HTTP/1.0\r\n",
                head().method(Method.POST).target("/x").minorVersion(0).noHost());
        // RFC 9110, section 2.5: as the highest minor version that we know.
        valid("GET / HTTP/1.2\r\n" + HOST, plain());
        valid("GET / HTTP/1.9\r\n" + HOST, plain());

        // RFC 9112, section 2.2: an empty line before the request line.
        valid("\r\n" + GET + HOST, plain());
        valid("\r\nPOST / HTTP/1.1\r\n" + HOST, plain().method(Method.POST));
        valid("\r\nDELETE / HTTP/1.0\r\n", head().method(Method.DELETE).minorVersion(0).noHost());
    }

    private static void validHosts() {
        for (String host :
                List.of(
                        "",
                        "a",
                        "a.example",
                        "a.example.",
                        "a.example:8080",
                        "a:",
                        "a:0",
                        "127.0.0.1:2342",
                        "127.0.0.100:65535",
                        "abcdefg.example.com",
                        "shop.example:12345678",
                        "shop.example:123456789",
                        "[::1]",
                        "[::1]:80",
                        "[::1]:",
                        "[2001:db8::ffff:192.0.2.1]:8080",
                        "[::]",
                        "[::ffff]",
                        "[1::]",
                        "[1:2:3:4:5:6:7:8]",
                        "[1:2:3:4:5:6:7::]",
                        "[::2:3:4:5:6:7:8]",
                        "[1:2:3::6:7:8]",
                        "[FE80::aBcD]",
                        "[0001:0002::]",
                        "[::192.0.2.1]",
                        "[::ffff:0.0.0.0]:80",
                        "[1:2:3:4:5:6:255.255.255.255]",
                        "[1:2:3:4:5::192.0.2.1]",
                        "[v1.fe:80]",
                        "[VfF.a]",
                        "[v0.-._~!$&'()*+;=:]:80",
                        "xn--bcher-kva.example",
                        "under_score",
                        "1.2.3.4.5",
                        "999.999.999.999",
                        "a%20b",
                        "%00",
                        "%c3%A9.example:80",
                        "!$&'()*+;=")) {
            valid(GET + "Host: " + host + "\r\n", head().field("Host", host));
        }
        valid(GET + "Host:\r\n", head().field("Host", ""));
        valid(GET + "Host:a\r\n", plain());
        valid(GET + "Host:\t a \t\r\n", plain());
        valid(GET + "HOST: a\r\n", head().field("HOST", "a"));
        valid(GET + "hOSt: a\r\n", head().field("hOSt", "a"));
        valid(
                GET + "A: b\r\nHost: a\r\nC: d\r\n",
                head().field("A", "b").field("Host", "a").field("C", "d"));
    }

    private static void validFields() {
        validField("X", "", "");
        validField("X", " ", "");
        validField("X", " \t  \t ", "");
        validField("X", "y", "y");
        validField("X", "\ty\t", "y");
        validField("X", "        y        ", "y");
        validField("X", " a b\tc  d ", "a b\tc  d");
        validField("X", " \u0080\u00ff\u00e9", "\u0080\u00ff\u00e9");
        validField("X", " y\t\t\u0085", "y\t\t\u0085");
        validField("X", " a:b: c", "a:b: c");
        validField("X", " \"a, b\"", "\"a, b\"");
        validField("X", " !#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
        validField("X", " GET / HTTP/1.1", "GET / HTTP/1.1");
        validField("!#$%&'*+-.^_`|~09azAZ", " v", "v");
        validField("0", " v", "v");
        validField("~~~~~~~~~~~~~~~~~", " v", "v");
        validField("Cookie", " a=b; c=\"d\"", "a=b; c=\"d\"");

        // As long as a name with a meaning, and another one.
        validField("Hosu", " a,b", "a,b");
        validField("Hos_", " a,b", "a,b");
        validField("Expecu", " x", "x");
        validField("Connectioo", " close", "close");
        validField("Connect-on", " close", "close");
        validField("Content_Length", " x", "x");
        validField("Content-Lengti", " x", "x");
        validField("Bontent-Length", " x", "x");
        validField("Transfer_Encoding", " x", "x");
        validField("Transfer-Encodinf", " x", "x");
        validField("Sransfer-Encoding", " x", "x");
        validField("TransferEncodings", " x", "x");

        for (int length = 1; length <= 24; length++) {
            validField("n".repeat(length), " v", "v");
            validField("N", " " + "v".repeat(length), "v".repeat(length));
            validField("N", " ".repeat(length) + "v" + "\t".repeat(length), "v");
        }
        valid(
                GET + HOST + "A: 1\r\na: 2\r\nA: 1\r\n",
                plain().field("A", "1").field("a", "2").field("A", "1"));
    }

    private static void validField(String name, String sent, String value) {
        valid(GET + HOST + name + ":" + sent + "\r\n", plain().field(name, value));
    }

    private static void validFraming() {
        validLength("Content-Length", " 0", 0);
        validLength("Content-Length", " 5", 5);
        validLength("Content-Length", "5", 5);
        validLength("Content-Length", " \t5\t ", 5);
        validLength("Content-Length", " 0005", 5);
        validLength("Content-Length", " 1234567890", 1_234_567_890L);
        validLength("Content-Length", " 999999999999999999", 999_999_999_999_999_999L);
        validLength("Content-Length", " 000000000000000000", 0);
        validLength("content-length", " 7", 7);
        validLength("CONTENT-LENGTH", " 7", 7);
        valid(
                "GET / HTTP/1.0\r\nContent-Length: 5\r\n",
                head().minorVersion(0).noHost().field("Content-Length", "5").contentLength(5));

        for (String value : List.of("chunked", "Chunked", "CHUNKED", "chUnkeD")) {
            valid(
                    GET + HOST + "Transfer-Encoding: " + value + "\r\n",
                    plain().field("Transfer-Encoding", value).chunked());
        }
        valid(
                GET + HOST + "Transfer-Encoding:chunked\r\n",
                plain().field("Transfer-Encoding", "chunked").chunked());
        valid(
                GET + HOST + "Transfer-Encoding: \t chunked \t\r\n",
                plain().field("Transfer-Encoding", "chunked").chunked());
        valid(
                GET + HOST + "transfer-encoding: chunked\r\n",
                plain().field("transfer-encoding", "chunked").chunked());
        valid(
                GET + HOST + "TRANSFER-ENCODING: chunked\r\n",
                plain().field("TRANSFER-ENCODING", "chunked").chunked());
        valid(
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST,
                head().method(Method.POST)
                        .field("Transfer-Encoding", "chunked")
                        .field("Host", "a")
                        .chunked());
    }

    private static void validLength(String name, String sent, long length) {
        valid(
                "POST / HTTP/1.1\r\n" + HOST + name + ":" + sent + "\r\n",
                plain().method(Method.POST).field(name, sent.strip()).contentLength(length));
    }

    private static void validConnections() {
        for (String value :
                List.of(
                        "close",
                        "Close",
                        "CLOSE",
                        ",close",
                        "close,",
                        "foo,close",
                        "foo, close ,bar",
                        ", \t, close\t,,",
                        "Upgrade, close")) {
            validConnection(value, plain().closes());
        }
        for (String value :
                List.of(
                        "keep-alive",
                        "Keep-Alive",
                        "KEEP-ALIVE",
                        "keep-alive,",
                        "foo, keep-alive",
                        "keep-alive, foo")) {
            validConnection(value, plain().keepsAlive());
        }
        for (String value : List.of("close, keep-alive", "keep-alive,close")) {
            validConnection(value, plain().closes().keepsAlive());
        }
        for (String value :
                List.of(
                        "",
                        ",",
                        ", ,",
                        "Upgrade",
                        "closed",
                        "clos",
                        "x-close",
                        "close close",
                        "close;x",
                        "\"close\"",
                        "keep-alivf",
                        "keep_alive",
                        "keep-alive2",
                        "keep-aliv",
                        "Upgrade, HTTP2-Settings")) {
            validConnection(value, plain());
        }
        valid(
                GET + HOST + "Connection: close\r\nConnection: keep-alive\r\n",
                plain().field("Connection", "close")
                        .field("Connection", "keep-alive")
                        .closes()
                        .keepsAlive());
        valid(
                "GET / HTTP/1.0\r\nCONNECTION: Keep-Alive\r\n",
                head().minorVersion(0).noHost().field("CONNECTION", "Keep-Alive").keepsAlive());
    }

    private static void validConnection(String value, HeadOutcome expected) {
        valid(GET + HOST + "Connection: " + value + "\r\n", expected.field("Connection", value));
    }

    private static void validExpectations() {
        valid(
                GET + HOST + "Expect: 100-continue\r\n",
                plain().field("Expect", "100-continue").expectsContinue());
        valid(
                GET + HOST + "EXPECT:100-Continue\t\r\n",
                plain().field("EXPECT", "100-Continue").expectsContinue());
        valid(
                GET + HOST + "Expect: 100-continue\r\nExpect: 100-continue\r\n",
                plain().field("Expect", "100-continue")
                        .field("Expect", "100-continue")
                        .expectsContinue());
        // RFC 9110, section 10.1.1: ignored in HTTP/1.0.
        valid(
                "GET / HTTP/1.0\r\nExpect: 100-continue\r\n",
                head().minorVersion(0).noHost().field("Expect", "100-continue"));
        valid(
                "GET / HTTP/1.0\r\nExpect: x\r\n",
                head().minorVersion(0).noHost().field("Expect", "x"));
    }

    private static void validAtTheLimits() {
        String target = "/" + "t".repeat(39);
        valid(TIGHT, "GET " + target + " HTTP/1.1\r\n" + HOST, plain().target(target));

        valid(
                TIGHT,
                GET + HOST + "A:1\r\nB:2\r\nC:3\r\n",
                plain().field("A", "1").field("B", "2").field("C", "3"));

        String value = "v".repeat(256 - (GET + HOST + "X:\r\n\r\n").length());
        valid(TIGHT, GET + HOST + "X:" + value + "\r\n", plain().field("X", value));
        String shorter = value.substring(2);
        valid(TIGHT, "\r\n" + GET + HOST + "X:" + shorter + "\r\n", plain().field("X", shorter));

        String atDefault = "/" + "t".repeat(Limits.defaults().targetBytesMax() - 1);
        valid("GET " + atDefault + " HTTP/1.1\r\n" + HOST, plain().target(atDefault));
    }

    private static HeadOutcome plain() {
        HeadOutcome plain = head();
        plain.field("Host", "a");
        return plain;
    }

    private static void valid(String lines, HeadOutcome expected) {
        valid(Limits.defaults(), lines, expected);
    }

    private static void valid(Limits limits, String lines, HeadOutcome expected) {
        String text = lines + "\r\n";
        VALID.add(new Head(text, limits, expected.result(text.length())));
    }

    // ---- invalid

    private static void badMethods() {
        for (String method :
                List.of(
                        "CONNECT",
                        "BREW",
                        "get",
                        "Get",
                        "GE",
                        "G",
                        "GETT",
                        "POSTS",
                        "POS",
                        "HEA",
                        "OPTION",
                        "OPTIONSX",
                        "GET~",
                        "M-SEARCH",
                        "PROPFIND",
                        "0",
                        "!#$%&'*+-.^_`|~",
                        "M".repeat(32),
                        "M".repeat(33),
                        "M".repeat(100))) {
            invalid(501, method + " / HTTP/1.1\r\n" + HOST);
        }
        invalid(501, "CONNECT a.example:443 HTTP/1.1\r\n" + HOST);
        invalid(501, "BREW * HTTP/1.1\r\n" + HOST);
        invalid(501, "BREW pot-1 HTTP/1.0\r\n");
        invalid(501, "M".repeat(33) + "\u0000");
        invalid(505, "BREW / HTTP/2.0\r\n" + HOST);
        invalid(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n");
        invalid(400, "BREW /#x HTTP/1.1\r\n" + HOST);
        invalid(400, "CONNECT a#b HTTP/1.1\r\n" + HOST);
        for (String method :
                List.of(
                        "",
                        "G\u0000T",
                        "\"GET\"",
                        "GET,",
                        "GET:",
                        "G@T",
                        "GET/",
                        "\u00c7ET",
                        "G\tT")) {
            invalid(400, method + " / HTTP/1.1\r\n" + HOST);
        }
        for (int c = 0; c < 256; c++) {
            if (!isToken((char) c) && c != ' ' && c != '\r') {
                invalid(400, "GE" + (char) c);
            }
        }
    }

    private static void badRequestLines() {
        invalid(400, " GET / HTTP/1.1\r\n" + HOST);
        invalid(400, "\tGET / HTTP/1.1\r\n" + HOST);
        invalid(400, "GET  / HTTP/1.1\r\n" + HOST);
        invalid(400, "GET\t/ HTTP/1.1\r\n" + HOST);
        invalid(400, "GET /  HTTP/1.1\r\n" + HOST);
        invalid(400, "GET /\tHTTP/1.1\r\n" + HOST);
        invalid(400, "GET / HTTP/1.1 \r\n" + HOST);
        invalid(400, "GET / HTTP/1.1\t\r\n" + HOST);
        invalid(400, "GET /a b HTTP/1.1\r\n" + HOST);
        invalid(400, "GET HTTP/1.1\r\n" + HOST);
        invalid(400, "GET /\r\n" + HOST);
        invalid(400, "GET / \r\n" + HOST);
        invalid(400, "GET\r\n" + HOST);
        invalid(400, "GET \r\n" + HOST);
        invalid(400, "HTTP/1.1 200 OK\r\n");
        invalid(400, "GE T / HTTP/1.1\r\n" + HOST);
        invalid(400, "\r\n\r\n" + GET + HOST);
        invalid(400, "\r\n\r\n\r\n");
        invalid(400, "\n" + GET + HOST);
        invalid(400, "\r" + GET + HOST);
        invalid(400, "\r\r\n" + GET + HOST);
        invalid(400, "\r\n " + GET + HOST);
        invalid(400, "\u0000" + GET + HOST);
        invalid(400, "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001");
    }

    private static void badTargets() {
        for (String target :
                List.of(
                        "foo",
                        "foo/bar",
                        "*",
                        "**",
                        "*/",
                        "?x",
                        "#",
                        "/#",
                        "/a#b",
                        "/a?b#c",
                        "/1234567#",
                        "a:80",
                        "www.example.com/",
                        "http:",
                        "http:/h",
                        "http://",
                        "http:///x",
                        "http://?x",
                        "http://:80/",
                        "http://:/",
                        "http://h#f",
                        "http://h/#f",
                        "http://h?q#f",
                        "http://u@h/",
                        "http://u:p@h/",
                        "http://h:8x/",
                        "http://h:80:80/",
                        "http://h\\x",
                        "http://h,i/",
                        "http://\"h\"/",
                        "http://[::1",
                        "http://[::1/",
                        "http://[]/",
                        "http://[::1]x/",
                        "http://[::1,::2]/",
                        "http://::1/",
                        "ftp://h/",
                        "httpx://h/",
                        "ttp://h/",
                        "://h/")) {
            invalid(400, "GET " + target + " HTTP/1.1\r\n" + HOST);
        }
        invalid(400, "OPTIONS ** HTTP/1.1\r\n" + HOST);
        invalid(400, "OPTIONS *? HTTP/1.1\r\n" + HOST);
        invalid(400, "POST * HTTP/1.1\r\n" + HOST);
        for (int c = 0; c < 256; c++) {
            if (c < ' ' || c > '~') {
                invalid(400, "GET /a" + (char) c + "b HTTP/1.1\r\n" + HOST);
            }
        }
    }

    private static void badVersions() {
        for (String version :
                List.of("HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/0.0", "HTTP/9.9", "HTTP/2.1")) {
            invalid(505, "GET / " + version + "\r\n" + HOST);
        }
        for (String version :
                List.of(
                        "HTTP/2",
                        "HTTP/1",
                        "HTTP/1.",
                        "HTTP/.1",
                        "HTTP/1.10",
                        "HTTP/1.01",
                        "HTTP/01.1",
                        "HTTP/11",
                        "HTTP/1.x",
                        "HTTP/x.1",
                        "HTTP/1,1",
                        "HTTP/1 1",
                        "HTTP /1.1",
                        "HTTP/ 1.1",
                        "HTTP 1.1",
                        "HTTP\\1.1",
                        "HTTP/-1.1",
                        "HTTP/+1.1",
                        "HTTPS/1.1",
                        "HTP/1.1",
                        "http/1.1",
                        "Http/1.1",
                        "HTTP/1.1;",
                        "HTTP/1.\u0000",
                        "HTTP/1.1\u0000",
                        "HTTP/1.\u00b9",
                        "ICY/1.1",
                        "XHTTP/1.1")) {
            invalid(400, "GET / " + version + "\r\n" + HOST);
        }
    }

    /** CRLF is the only end of a line (RFC 9112, section 2.2), and nothing else is inside one. */
    private static void badLineEnds() {
        for (String end : List.of("\n", "\r", "\r\r", "\n\r", "\r\r\n", "\r \n", "\n\n", "\0")) {
            invalid(400, "GET / HTTP/1.1" + end + HOST);
            invalid(400, GET + "Host: a" + end + "X: y\r\n");
            invalid(400, GET + HOST + "X: y" + end + "Content-Length: 5\r\n");
            invalid(400, GET + HOST + "X: y" + end + "Transfer-Encoding: chunked\r\n");
            invalid(400, GET + HOST + end);
            invalid(400, GET + HOST + "X: y\r\n" + end + "Transfer-Encoding: chunked\r\n");
        }
        invalid(400, GET + "Host: a\n\n");
        invalid(400, "GET / HTTP/1.1\nHost: a\n\n");
        invalid(400, "GET / HTTP/1.1\r\rHost: a\r\r");
        invalid(400, GET + HOST + "X:\ny\r\n");
        invalid(400, GET + HOST + "X\n: y\r\n");
        invalid(400, GET + HOST + "X: y\n z\r\n");

        // Folded lines (RFC 9112, section 5.2), and lines ahead of the first field (section 2.2).
        invalid(400, GET + HOST + "X: y\r\n z\r\n");
        invalid(400, GET + HOST + "X: y\r\n\tz\r\n");
        invalid(400, GET + HOST + "X:\r\n y\r\n");
        invalid(400, GET + HOST + "X: y\r\n \r\n");
        invalid(400, GET + HOST + "X: y\r\n\t\r\n");
        invalid(400, GET + "Host:\r\n a\r\n");
        invalid(400, GET + " Host: a\r\n");
        invalid(400, GET + "\tHost: a\r\n");
        invalid(400, GET + " \r\n" + HOST);
        invalid(400, GET + " Content-Length: 5\r\n" + HOST);
        invalid(400, GET + HOST + "Content-Length: 5\r\n\t6\r\n");
        invalid(400, GET + HOST + "Transfer-Encoding:\r\n chunked\r\n");
        invalid(400, GET + HOST + "Transfer-Encoding: chunked\r\n , identity\r\n");
    }

    private static void badNames() {
        invalid(400, GET + HOST + ": y\r\n");
        invalid(400, GET + HOST + ":\r\n");
        invalid(400, GET + HOST + "X\r\n");
        invalid(400, GET + HOST + "X y\r\n");
        invalid(400, GET + HOST + "X : y\r\n");
        invalid(400, GET + HOST + "X\t: y\r\n");
        invalid(400, GET + HOST + "X Y: z\r\n");
        invalid(400, GET + "Host : a\r\n");
        invalid(400, GET + "Host\t: a\r\n");
        invalid(400, GET + "Host a\r\n");
        invalid(400, GET + HOST + "Content-Length : 5\r\n");
        invalid(400, GET + HOST + "Transfer-Encoding : chunked\r\n");
        invalid(400, GET + HOST + "Transfer-Encoding\t: chunked\r\n");
        invalid(400, GET + HOST + "\u0000Transfer-Encoding: chunked\r\n");
        invalid(400, GET + HOST + "Transfer-Encoding\u0000: chunked\r\n");
        invalid(400, GET + HOST + "Transfer\rEncoding: chunked\r\n");
        invalid(400, GET + HOST + "X-12345 : y\r\n");
        for (int c = 0; c < 256; c++) {
            if (!isToken((char) c) && c != ':') {
                invalid(400, GET + HOST + "X" + (char) c + "Y: z\r\n");
                if (c != '\r') {
                    invalid(400, GET + HOST + "Long-Name-" + (char) c);
                }
            }
        }
    }

    private static void badValues() {
        for (int c = 0; c < 128; c++) {
            if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7F) {
                invalid(400, GET + HOST + "X:" + (char) c);
                invalid(400, GET + HOST + "X: y" + (char) c + "z\r\n");
                invalid(400, GET + HOST + "X: some\tmore than one word" + (char) c + "\r\n");
                invalid(400, GET + HOST + "Transfer-Encoding:" + (char) c + "chunked\r\n");
            }
        }
        invalid(400, GET + HOST + "X: y\rz\r\n");
        invalid(400, GET + HOST + "X: y\r\rz\r\n");
        invalid(400, GET + HOST + "X: y\r:z\r\n");
    }

    private static void badHosts() {
        invalid(400, GET);
        invalid(400, GET + "X: y\r\n");
        invalid(400, "GET / HTTP/1.2\r\n");
        invalid(400, "GET http://a/ HTTP/1.1\r\n");
        invalid(400, GET + "Hos: a\r\n");
        invalid(400, GET + "Hosts: a\r\n");
        invalid(400, GET + HOST + HOST);
        invalid(400, GET + HOST + "Host: b\r\n");
        invalid(400, GET + HOST + "X: y\r\nHOST: a\r\n");
        invalid(400, GET + "Host:\r\n" + HOST);
        invalid(400, GET + HOST + "Host:\r\n");
        invalid(400, "GET / HTTP/1.0\r\n" + HOST + HOST);
        invalid(400, "GET / HTTP/1.0\r\nHost: a b\r\n");
        for (String host :
                List.of(
                        "a b",
                        "a\tb",
                        "a,b",
                        "a, b",
                        "a,",
                        "a/b",
                        "a/",
                        "a@b",
                        "a?b",
                        "a#b",
                        "a\\b",
                        "http://a",
                        "a:b",
                        "a:80x",
                        "shop.example:1234567x",
                        "shop.example:12345678x",
                        "shop.example:80/",
                        "abcdefg.example/",
                        "abcdefg\u00e9.example",
                        "a:8 0",
                        "a: 80",
                        "a :80",
                        "a:80:80",
                        "a:-1",
                        "a:+1",
                        ":",
                        ":80",
                        "::1",
                        "[::1",
                        "::1]",
                        "[",
                        "]",
                        "[]",
                        "[]:80",
                        "[::1]x",
                        "[::1]80",
                        "[::1]:x",
                        "[::1]]",
                        "[[::1]]",
                        "[::g]",
                        "[g::]",
                        "[x]",
                        "[:]",
                        "[:::]",
                        "[::1::]",
                        "[1::2::3]",
                        "[:1]",
                        "[1:]",
                        "[:1::]",
                        "[::1:]",
                        "[1:::2]",
                        "[1]",
                        "[1:2:3:4:5:6:7]",
                        "[1:2:3:4:5:6:7:8:9]",
                        "[1:2:3:4:5:6:7:8::]",
                        "[::1:2:3:4:5:6:7:8]",
                        "[1:2:3:4::5:6:7:8]",
                        "[::12345]",
                        "[::00001]",
                        "[::1.2.3]",
                        "[::1.2.3.4.5]",
                        "[::1.2.3.]",
                        "[::.1.2.3]",
                        "[::1..2.3]",
                        "[::1.2.3.256]",
                        "[::1.2.3.300]",
                        "[::1.2.3.1000]",
                        "[::01.2.3.4]",
                        "[::1.2.3.00]",
                        "[::a.2.3.4]",
                        "[::1.2.3.a]",
                        "[1.2.3.4::]",
                        "[::1.2.3.4:1]",
                        "[127.0.0.1]",
                        "[1:2:3:4:5:6:7:1.2.3.4]",
                        "[1:2:3:4:5:6:7::1.2.3.4]",
                        "[fe80::1%25eth0]",
                        "[fe80::1%eth0]",
                        "[::1%]",
                        "[::%31]",
                        "[::1+]",
                        "[::1-2]",
                        "[::1_]",
                        "[a.example]",
                        "[v1]",
                        "[v1.]",
                        "[v.a]",
                        "[vg.a]",
                        "[v1.a%20]",
                        "[v1.a,b]",
                        "[v1.a/]",
                        "[w1.a]",
                        "[.a]",
                        "%",
                        "%2",
                        "%zz",
                        "%2g",
                        "%g2",
                        "a%",
                        "a%2",
                        "a%2.b",
                        "a%:80",
                        "a%2:80",
                        "%%20",
                        "a%20%",
                        "a%20b%2",
                        "[::1],[::2]",
                        "a[::1]",
                        "a[b]",
                        "\"a\"",
                        "<a>",
                        "a|b",
                        "a^b",
                        "a{b}",
                        "a`b",
                        "\u00e9.example",
                        "a\u0080",
                        "[\u00ff]")) {
            invalid(400, GET + "Host: " + host + "\r\n");
            // The authority of an absolute target is the same; none of these ends within it.
            if (host.matches("[!-\"$-.0-;=@-~]+")) {
                invalid(400, "GET http://" + host + "/ HTTP/1.1\r\n" + HOST);
                invalid(400, "GET https://" + host + "?a HTTP/1.0\r\n");
            }
        }
    }

    private static void badContentLengths() {
        for (String length :
                List.of(
                        "",
                        " ",
                        "+5",
                        "-1",
                        "-0",
                        "+",
                        "-",
                        "0x5",
                        "0b1",
                        "5h",
                        "x",
                        "five",
                        "5, 5",
                        "5,5",
                        "5,6",
                        "5,",
                        ",5",
                        "5;",
                        "5; q=1",
                        "5 5",
                        "5\t5",
                        "1 2 3",
                        "5.0",
                        "5.",
                        "5e1",
                        "1_000",
                        "1'000",
                        "\"5\"",
                        "(5)",
                        "5\u0080",
                        "\u00b2",
                        "\u00d9\u00a3",
                        "5/",
                        "5:",
                        "chunked",
                        "0000000000000000005",
                        "1000000000000000000",
                        "9223372036854775807",
                        "9223372036854775808",
                        "18446744073709551615",
                        "18446744073709551616",
                        "18446744073709551621",
                        "9".repeat(100))) {
            invalid(400, GET + HOST + "Content-Length: " + length + "\r\n");
        }
        invalid(400, GET + HOST + "Content-Length: 5\r\nContent-Length: 5\r\n");
        invalid(400, GET + HOST + "Content-Length: 5\r\nContent-Length: 6\r\n");
        invalid(400, GET + HOST + "Content-Length: 0\r\nContent-Length: 0\r\n");
        invalid(400, GET + HOST + "Content-Length: 5\r\nX: y\r\ncONTENT-lENGTH: 5\r\n");
        invalid(400, GET + HOST + "Content-Length: 5\r\nContent-Length:\r\n");
        invalid(400, "GET / HTTP/1.0\r\nContent-Length: 5\r\nContent-Length: 6\r\n");
    }

    private static void badTransferEncodings() {
        for (String coding :
                List.of(
                        "",
                        ",",
                        ",,",
                        " ,\t, ",
                        ",chunked",
                        ", chunked",
                        "\t,\tchunked",
                        ", , chunked",
                        ",,,chunked",
                        "gzip,,chunked",
                        "gzip, , chunked",
                        "gzip,\t,chunked",
                        ", gzip, chunked",
                        "gzip, deflate,,chunked",
                        "chunked,,",
                        "chunked, ,",
                        "chunked,\t",
                        ",chunked,",
                        "gzip, chunked,",
                        "g zip, chunked",
                        "gzip\tx, chunked",
                        "(gzip), chunked",
                        "\"gzip\", chunked",
                        ";q=1, chunked",
                        "gz\u00efp, chunked",
                        "gzip=1, chunked",
                        "identity",
                        "gzip",
                        "xchunked",
                        "chunkedx",
                        "x-chunked",
                        "chunke",
                        "chunked,",
                        "chunked ,",
                        "chunked, chunked",
                        "chunked,chunked",
                        "gzip, chunked, chunked",
                        "chunked, gzip, chunked",
                        "chunked, gzip",
                        "chunked, identity",
                        "gzip, deflate",
                        "gzip, xchunked",
                        "gzip chunked",
                        "chunked chunked",
                        "chunked;q=1",
                        "chunked; q=1",
                        "chunked;",
                        "gzip, chunked;q=1",
                        "\"chunked\"",
                        "'chunked'",
                        "chunked\"",
                        "\u00a0chunked",
                        "chunked\u0085",
                        "chun ked",
                        "chunked\u00ff",
                        "chunked:",
                        "5")) {
            invalid(400, GET + HOST + "Transfer-Encoding: " + coding + "\r\n");
        }
        for (String coding :
                List.of(
                        "gzip, chunked",
                        "gzip,chunked",
                        "gzip\t,\tCHUNKED",
                        "deflate, gzip, chunked",
                        "gzip;q=1, chunked",
                        "gzip ; q=1 ,chunked",
                        "gzip;q=\"1\",\tchunked",
                        "identity, chunked",
                        "!#$%&'*+-.^_`|~, chunked",
                        "x, chunked")) {
            invalid(501, GET + HOST + "Transfer-Encoding: " + coding + "\r\n");
        }
        String chunked = "Transfer-Encoding: chunked\r\n";
        invalid(400, GET + HOST + chunked + chunked);
        invalid(400, GET + HOST + chunked + "transfer-encoding: identity\r\n");
        invalid(400, GET + HOST + "Transfer-Encoding: gzip\r\n" + chunked);
        invalid(400, GET + HOST + "Transfer-Encoding:\r\n" + chunked);
        invalid(400, GET + HOST + "Transfer-Encoding: ,\r\n" + chunked);
        invalid(400, GET + HOST + chunked + "Transfer-Encoding:\r\n");
        invalid(400, GET + HOST + chunked + "Transfer-Encoding: ,\r\n");
        invalid(400, GET + HOST + chunked + "Content-Length: 5\r\n");
        invalid(400, GET + HOST + "Content-Length: 5\r\n" + chunked);
        invalid(400, GET + HOST + "Content-Length: 0\r\n" + chunked);
        invalid(400, GET + HOST + chunked + "Content-Length: 0\r\n");
        invalid(400, GET + HOST + chunked + "X: y\r\ncontent-length: 5\r\n");
        invalid(400, GET + HOST + "CONTENT-LENGTH: 5\r\nX: y\r\ntransfer-encoding: CHUNKED\r\n");
        invalid(400, GET + HOST + "Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n");
        invalid(400, GET + HOST + "Content-Length: 5\r\nTransfer-Encoding: x\r\n");
        invalid(400, "POST / HTTP/1.0\r\n" + chunked);
        invalid(400, "POST / HTTP/1.0\r\n" + HOST + "Transfer-Encoding: gzip, chunked\r\n");
        invalid(400, "POST / HTTP/1.0\r\n" + chunked + "Content-Length: 5\r\n");
    }

    private static void badExpectations() {
        for (String expectation :
                List.of(
                        "",
                        "100-continu",
                        "100-continuee",
                        "100 continue",
                        "200-ok",
                        "100-continue, 100-continue",
                        "100-continue,",
                        "100-continue;x",
                        "\"100-continue\"")) {
            invalid(417, GET + HOST + "Expect: " + expectation + "\r\n");
        }
        invalid(417, GET + HOST + "Expect: 100-continue\r\nexpect: x\r\n");
        // The first fault counts.
        invalid(417, GET + "Expect: x\r\n" + HOST + HOST);
        invalid(400, GET + HOST + HOST + "Expect: x\r\n");
    }

    private static void overTheLimits() {
        String target = "/" + "t".repeat(40);
        invalid(TIGHT, 414, "GET " + target + " HTTP/1.1\r\n" + HOST);
        invalid(TIGHT, 414, "GET " + target + "\u0000");
        invalid(TIGHT, 414, "GET " + target);
        invalid(TIGHT, 414, "BREW " + target + " HTTP/1.1\r\n" + HOST);
        invalid(TIGHT, 414, "GET /" + "t".repeat(400));
        String overDefault = "/" + "t".repeat(Limits.defaults().targetBytesMax());
        invalid(414, "GET " + overDefault + " HTTP/1.1\r\n" + HOST);

        invalid(TIGHT, 431, GET + HOST + "A:1\r\nB:2\r\nC:3\r\nD:4\r\n");
        // One too many, whatever it is.
        invalid(TIGHT, 431, GET + HOST + "A:1\r\nB:2\r\nC:3\r\nHost: a\r\n");
        invalid(TIGHT, 400, GET + HOST + HOST + "B:2\r\nC:3\r\nD:4\r\n");

        String value = "v".repeat(257 - (GET + HOST + "X:\r\n\r\n").length());
        invalid(TIGHT, 431, GET + HOST + "X:" + value + "\r\n");
        invalid(TIGHT, 431, "\r\n" + GET + HOST + "X:" + value.substring(2) + "\r\n");
        // As long as is allowed, and without its last line.
        invalid(TIGHT, 431, GET + HOST + "X:" + value + "v");
        invalid(TIGHT, 431, GET + HOST + "X:" + value + value + "\u0000");
        invalid(TIGHT, 431, GET + HOST + "n".repeat(300));
        invalid(TIGHT, 431, GET + HOST + "X:" + " ".repeat(300) + "\r\n");
        invalid(TIGHT, 431, GET + HOST + "X:" + "\t".repeat(300) + "\r\n");
        // The fault comes before the limit.
        invalid(TIGHT, 400, GET + HOST + "X:" + value.substring(9) + "\u0000" + value);
        invalid(
                Limits.builder().targetBytesMax(300).headBytesMax(256).fieldsMax(4).build(),
                431,
                "GET /" + "t".repeat(290) + " HTTP/1.1\r\n" + HOST);
    }

    private static void invalid(int status, String lines) {
        invalid(Limits.defaults(), status, lines);
    }

    private static void invalid(Limits limits, int status, String lines) {
        INVALID.add(new Head(lines + "\r\n", limits, HeadOutcome.refused(-status)));
    }

    private static boolean isToken(char c) {
        return c < 0x80 && (Character.isLetterOrDigit(c) || "!#$%&'*+-.^_`|~".indexOf(c) >= 0);
    }
}
