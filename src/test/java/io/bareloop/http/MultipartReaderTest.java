package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Bytes;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies of multipart/form-data, whole and cut, right and wrong, within limits and beyond. */
class MultipartReaderTest {
    private static final MultipartLimits LIMITS = MultipartLimits.defaults();

    /** Of a file: whatever is nearly a delimiter. */
    private static final String NEARLY = "\r\r\n\n--B-\r\n-\r\n--\r\n--b\r\n-B\0";

    private static final String BODY =
            String.join(
                    "\r\n",
                    "nothing",
                    "--B",
                    "Content-Disposition: form-data; name=\"a\"",
                    "",
                    "1",
                    "--B",
                    "content-disposition:form-data;name=f;filename=\"x.bin\"",
                    "Content-Type: image/png",
                    "",
                    NEARLY,
                    "--B",
                    "Content-Disposition: form-data; name=\"none\"; filename=\"\"",
                    "Content-Type: application/octet-stream",
                    "",
                    "",
                    "--B \t",
                    "Content-Disposition: form-data; name=\"e\"",
                    "",
                    "--B--",
                    "more of nothing",
                    "--B",
                    "");

    private static final List<String> FOUND =
            List.of(
                    "a|null|text/plain|1",
                    "f|x.bin|image/png|"
                            + "\\r\\r\\n\\n--B-\\r\\n-\\r\\n--\\r\\n--b\\r\\n-B\\u0000",
                    "none||application/octet-stream|",
                    "e|null|text/plain|",
                    "complete");

    private static List<String> whole(String latin1) throws Exception {
        return MultipartEvents.read("B", LIMITS, latin1, at -> Integer.MAX_VALUE);
    }

    private static String part(String head, String content) {
        return "--B\r\n" + head + "\r\n\r\n" + content + "\r\n--B--\r\n";
    }

    private static String field(String content) {
        return part("Content-Disposition: form-data; name=\"n\"", content);
    }

    private static String file(String content) {
        return part("Content-Disposition: form-data; name=\"n\"; filename=\"f\"", content);
    }

    @Test
    void everyCutGivesTheSame() throws Exception {
        assertThat(whole(BODY)).isEqualTo(FOUND);
        assertThat(NaiveMultipart.read("B", BODY)).isEqualTo(FOUND);
        for (int cut = 1; cut <= BODY.length(); cut++) {
            int first = cut;
            assertThat(
                            MultipartEvents.read(
                                    "B", LIMITS, BODY, at -> at == 0 ? first : BODY.length()))
                    .as("cut at %d", cut)
                    .isEqualTo(FOUND);
            int size = cut;
            assertThat(MultipartEvents.read("B", LIMITS, BODY, at -> size))
                    .as("pieces of %d", cut)
                    .isEqualTo(FOUND);
        }
    }

    /** Up to the closing delimiter it is incomplete, at every byte. */
    @Test
    void whatIsCutOffIsRefused() throws Exception {
        int closed = BODY.indexOf("--B--") + 5;
        for (int length = 0; length <= BODY.length(); length++) {
            // Nor does it end within the line break of the closing delimiter.
            boolean complete = length >= closed && length != closed + 1;
            assertThat(whole(BODY.substring(0, length)))
                    .as("the first %d bytes", length)
                    .isEqualTo(complete ? FOUND : List.of("400"));
        }
    }

    @Test
    void formsWithoutAnything() throws Exception {
        assertThat(whole("--B--")).containsExactly("complete");
        assertThat(whole("--B--\r\n")).containsExactly("complete");
        assertThat(whole("\r\n--B--")).containsExactly("complete");
        assertThat(whole("")).containsExactly("400");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "form-data; name=\"a b\" ! a b|null",
                "FORM-DATA; NAME=a ! a|null",
                "form-data; name=\"\" ! |null",
                "form-data ;; name=a; ! a|null",
                "form-data; name=\"%22%0D%0a%20%\" ! \\\"\\r\\n%20%|null",
                "form-data; name=\"a\\\"b\\\\c\\d\" ! a\\\"b\\\\c\\\\d|null",
                "form-data; name=\"a;b=c\"; x=y; filename=\"d;e\" ! a;b=c|d;e",
                "form-data; filename=\"f\"; name=\"n\" ! n|f",
                "form-data; name=a; filename=\"C:\\dir\\f.txt\" ! a|C:\\\\dir\\\\f.txt",
                "form-data; name=a; filename=\"f\\\" ! a|f\\\\",
                "form-data; name=a; filename=\"\\\\srv\\f\\\" ! a|\\\\srv\\\\f\\\\",
                "form-data; name=\"\u00c3\u00a9\"; filename=\"\u00e2\u0082\u00ac\" !"
                        + " \\u00e9|\\u20ac",
                "form-data; name=a; filename*=UTF-8''%E2%82%AC%20f ! a|\\u20ac f",
                "form-data; name=a; filename=x; filename*=utf-8'en'y ! a|y",
                "form-data; name=a; filename*=utf-8''y; filename=x ! a|y",
                "form-data; name=a; filename*=UTF-8'' ! a|",
            })
    void namesAreDecoded(String disposition, String expected) throws Exception {
        assertThat(whole(part("Content-Disposition: " + disposition, "v")))
                .containsExactly(expected + "|text/plain|v", "complete");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "form-data",
                "attachment; name=a",
                "form-data name=a",
                "form-data; name",
                "form-data; name=",
                "form-data; =a",
                "form-data; name =a",
                "form-data; name= a",
                "form-data; name=\"a",
                "form-data; name=\"",
                "form-data; name=\"a\"b",
                "form-data; name=a b",
                "form-data; name=a; name=b",
                "form-data; name=a; Name=a",
                "form-data; name=a; filename=x; filename=y",
                "form-data; name=a; filename*=UTF-8''x; filename*=UTF-8''y",
                "form-data; name=a; filename*=x",
                "form-data; name=a; filename*=UTF-8'x",
                "form-data; name=a; filename*=ISO-8859-1''x",
                "form-data; name=a; filename*=UTF-8''%",
                "form-data; name=a; filename*=UTF-8''%4",
                "form-data; name=a; filename*=UTF-8''%zz",
                "form-data; name=a; filename*=UTF-8''%FF",
                "form-data; name=a; filename*0=x",
                "form-data; name=a; filename*0*=x",
                "form-data; name*=UTF-8''a",
                "form-data; name=\"\u00ff\"",
                "form-data; name=a; filename=\"\u00c3\"",
            })
    void dispositionsAreRefused(String disposition) throws Exception {
        assertThat(whole(part("Content-Disposition: " + disposition, "v"))).containsExactly("400");
    }

    @Test
    void headsAreRefused() {
        String good = "Content-Disposition: form-data; name=n";
        refuses("", "no Content-Disposition");
        refuses("Content-Type: text/plain", "no Content-Disposition");
        refuses(good + "\n", "LF alone");
        refuses(good + "\nX: y", "LF alone");
        refuses(good + "\rX: y", "CR without LF");
        refuses(good + "\r\n X: y", "name: value");
        refuses(good + "\r\n: y", "name: value");
        refuses(good + "\r\nX", "name: value");
        refuses(good + "\r\nX : y", "name: value");
        refuses(good + "\r\nX: \0", "control character");
        refuses(good + "\r\nX: \u007f", "control character");
        refuses(good + "\r\n" + good, "two fields Content-Disposition");
        refuses(good + "\r\nContent-Type: a\r\ncontent-type: a", "two fields content-type");
        refuses(good + "\r\nContent-Transfer-Encoding: base64", "Content-Transfer-Encoding");
    }

    private static void refuses(String head, String message) {
        refusesBody(part(head, "v"), Status.BAD_REQUEST, message, LIMITS);
    }

    private static void refusesBody(
            String latin1, Status status, String message, MultipartLimits limits) {
        for (int size : new int[] {1, 2, 7, 1 << 20}) {
            assertThatThrownBy(() -> new MultipartEvents().feed("B", limits, latin1, at -> size))
                    .as("%s in pieces of %d", Bytes.escape(latin1), size)
                    .isInstanceOfSatisfying(
                            HttpException.class, e -> assertThat(e.status()).isEqualTo(status))
                    .hasMessageContaining(message);
        }
    }

    @Test
    void delimitersAreRefused() {
        String field = "Content-Disposition: form-data; name=n\r\n\r\nv";
        for (String line : List.of("--Bx\r\n", "--B-\r\n", "--B x\r\n", "--B-x\r\n", "--BB\r\n")) {
            refusesBody(line + field + "\r\n--B--", Status.BAD_REQUEST, "is followed by", LIMITS);
        }
        for (String line : List.of("--B--x", "--B---", "--B--  x")) {
            refusesBody(line, Status.BAD_REQUEST, "is followed by", LIMITS);
        }
        refusesBody("--B\n" + field, Status.BAD_REQUEST, "LF alone", LIMITS);
        refusesBody("--B--\n", Status.BAD_REQUEST, "LF alone", LIMITS);
        refusesBody("--B\r\r\n" + field, Status.BAD_REQUEST, "CR without LF", LIMITS);
        refusesBody("--B\r\n" + field + "\n--B--", Status.BAD_REQUEST, "without a closing", LIMITS);
        // Not at the beginning of a line: there is a delimiter, the last one, and no part.
        refusesBody("x--B\r\n" + field, Status.BAD_REQUEST, "without a closing", LIMITS);
    }

    @Test
    void whatIsEncodedAsItStandsIsTaken() throws Exception {
        for (String encoding : List.of("7bit", "8BIT", "Binary")) {
            assertThat(
                            whole(
                                    part(
                                            "Content-Disposition: form-data; name=n\r\n"
                                                    + "Content-Transfer-Encoding: "
                                                    + encoding,
                                            "v")))
                    .hasSize(2);
        }
    }

    @Test
    void fieldsAreUtf8() throws Exception {
        List<String> values = new ArrayList<>();
        for (String value : List.of("\u20ac\ud83d\ude00", "")) {
            String latin1 = Bytes.toString(value.getBytes(StandardCharsets.UTF_8));
            new MultipartEvents() {
                @Override
                public void field(Part part, String found) {
                    values.add(found);
                }
            }.feed("B", LIMITS, field(latin1), at -> 1);
        }
        assertThat(values).containsExactly("\u20ac\ud83d\ude00", "");
    }

    // ---- limits: what they allow, and one byte more

    @Test
    void bytesAreBounded() throws Exception {
        bounded("a file", size -> file("x".repeat(size)), b -> b.fileBytesMax(100));
        bounded("a field", size -> field("x".repeat(size)), b -> b.fieldBytesMax(100));
        bounded(
                "all fields together",
                size ->
                        field("x".repeat(60)).replace("--B--\r\n", "")
                                + field("x".repeat(size - 60)),
                b -> b.fieldsBytesMax(100));
        int frame = field("").length();
        bounded("a body", size -> field("x".repeat(size - frame)), b -> b.bodyBytesMax(100));
        int head = "Content-Disposition: form-data; name=\r\n\r\n".length();
        bounded(
                "a part with a head",
                size -> part("Content-Disposition: form-data; name=" + "x".repeat(size - head), ""),
                b -> b.headBytesMax(100));
    }

    private interface Body {
        String of(int size);
    }

    private interface Bound {
        MultipartLimits.Builder of(MultipartLimits.Builder builder);
    }

    private static void bounded(String what, Body body, Bound bound) throws Exception {
        MultipartLimits limits = bound.of(MultipartLimits.builder()).build();
        for (int size : new int[] {1, 3, 1 << 20}) {
            assertThat(MultipartEvents.read("B", limits, body.of(100), at -> size))
                    .as(what)
                    .endsWith("complete");
        }
        refusesBody(
                body.of(101), Status.CONTENT_TOO_LARGE, what + " of more than 100 bytes", limits);
    }

    @Test
    void partsAreBounded() throws Exception {
        MultipartLimits limits = MultipartLimits.builder().partsMax(2).build();
        String two = (field("v") + file("w")).replaceFirst("--B--\r\n", "");
        String three = (field("v") + two).replaceFirst("--B--\r\n", "");
        assertThat(MultipartEvents.read("B", limits, two, at -> 1)).hasSize(3);
        refusesBody(three, Status.CONTENT_TOO_LARGE, "more than 2 parts", limits);
    }

    @Test
    void linesOfHeadsAreBounded() throws Exception {
        String head = "Content-Disposition: form-data; name=n";
        assertThat(whole(part(head + "\r\nX:".repeat(31), "v"))).hasSize(2);
        refusesBody(
                part(head + "\r\nX:".repeat(32), "v"),
                Status.CONTENT_TOO_LARGE,
                "more than 32 lines",
                LIMITS);
    }

    @Test
    void whatMeansNothingIsBounded() throws Exception {
        int max = MultipartParser.IDLE_BYTES_MAX;
        String most = "x".repeat(max);
        assertThat(whole(most + "\r\n" + field("v"))).hasSize(2);
        assertThat(whole(field("v") + most)).hasSize(2);
        assertThat(whole("--B--" + " ".repeat(max))).hasSize(1);
        String half = "x".repeat(max / 2 + 1);
        for (String body :
                List.of(
                        most + "x\r\n" + field("v"),
                        field("v") + most + "x",
                        "--B" + " ".repeat(max + 1),
                        half + "\r\n" + field("v") + half)) {
            refusesBody(body, Status.CONTENT_TOO_LARGE, "preamble", LIMITS);
        }
    }

    // ---- against the naive one

    private static final List<String> PIECES =
            List.of(
                    "\r",
                    "\n",
                    "\r\n",
                    "\r\n\r\n",
                    "-",
                    "--",
                    "B",
                    "--B",
                    "\r\n--B",
                    "\r\n--B",
                    "\r\n--B\r\n",
                    "\r\n--B--",
                    "\r\n--B--\r\n",
                    "--B\r\n",
                    " ",
                    "\t",
                    "x",
                    ":",
                    ";",
                    "\"",
                    "\\",
                    "%22",
                    "\0",
                    "\u00ff",
                    "text of several words, so that a search by words has some",
                    "Content-Disposition: form-data; name=\"n\"\r\n\r\n",
                    "Content-Disposition: form-data; name=\"n\"; filename=\"f\"\r\n\r\n",
                    "Content-Disposition: form-data; name=\"n\"; filename=\"f\"\r\n",
                    "Content-Type: a/b\r\n\r\n",
                    "\r\n--B\r\nContent-Disposition: form-data; name=x; filename=y\r\n\r\n");

    @Test
    void agreesWithTheNaiveOne() throws Exception {
        SplittableRandom random = new SplittableRandom(7578);
        int complete = 0;
        int rounds = 60_000;
        for (int round = 0; round < rounds; round++) {
            String body = round % 2 == 0 ? madeUp(random) : mutated(random);
            List<String> expected = NaiveMultipart.read("B", body);
            complete += expected.contains("complete") ? 1 : 0;
            int pieceMax = 1 + random.nextInt(round % 3 == 0 ? 2 : 60);
            assertThat(MultipartEvents.read("B", LIMITS, body, at -> 1 + random.nextInt(pieceMax)))
                    .as("round %d: \"%s\"", round, Bytes.escape(body))
                    .isEqualTo(expected);
            assertThat(whole(body)).isEqualTo(expected);
        }
        assertThat(complete).as("bodies that are right").isBetween(rounds / 20, rounds / 2);
    }

    private static String madeUp(SplittableRandom random) {
        StringBuilder body = new StringBuilder();
        if (random.nextInt(4) > 0) {
            body.append("--B\r\n");
            body.append(PIECES.get(25 + random.nextInt(2)));
        }
        for (int i = random.nextInt(12); i > 0; i--) {
            body.append(PIECES.get(random.nextInt(PIECES.size())));
        }
        return body.append(random.nextInt(4) > 0 ? "\r\n--B--" : "").toString();
    }

    private static String mutated(SplittableRandom random) {
        StringBuilder body = new StringBuilder(BODY);
        for (int i = random.nextInt(4); i > 0; i--) {
            int at = random.nextInt(body.length());
            switch (random.nextInt(3)) {
                case 0 -> body.setCharAt(at, (char) random.nextInt(256));
                case 1 -> body.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                default -> body.delete(at, Math.min(body.length(), at + random.nextInt(4)));
            }
        }
        return body.toString();
    }

    /** However it is cut, it ends in the same way, and nothing goes beyond what is allowed. */
    @Test
    void staysWithinLimitsWhateverComes() throws Exception {
        SplittableRandom random = new SplittableRandom(2046);
        int tooLarge = 0;
        for (int round = 0; round < 30_000; round++) {
            MultipartLimits limits =
                    MultipartLimits.builder()
                            .partsMax(1 + random.nextInt(4))
                            .headBytesMax(64 + random.nextInt(40))
                            .fieldBytesMax(random.nextInt(40))
                            .fieldsBytesMax(random.nextInt(60))
                            .fileBytesMax(random.nextInt(60))
                            .bodyBytesMax(150 + random.nextInt(400))
                            .build();
            String body = round % 2 == 0 ? madeUp(random) : mutated(random);
            String whole = outcome(limits, body, at -> Integer.MAX_VALUE);
            assertThat(outcome(limits, body, at -> 1)).isEqualTo(whole);
            assertThat(outcome(limits, body, at -> 1 + random.nextInt(30))).isEqualTo(whole);
            tooLarge += whole.contains("more than") ? 1 : 0;
        }
        assertThat(tooLarge).isBetween(3000, 29_000);
    }

    private static String outcome(MultipartLimits limits, String body, MultipartEvents.Cuts cuts)
            throws Exception {
        MultipartEvents events = new MultipartEvents();
        String end = "complete";
        try {
            events.feed("B", limits, body, cuts);
        } catch (HttpException refused) {
            assertThat(refused.status()).isIn(Status.BAD_REQUEST, Status.CONTENT_TOO_LARGE);
            end = refused.getMessage();
        }
        assertThat((long) events.fileBytes).isLessThanOrEqualTo(limits.fileBytesMax());
        assertThat((long) events.fieldsBytes).isLessThanOrEqualTo(limits.fieldsBytesMax());
        assertThat(events.found.size()).isLessThanOrEqualTo(limits.partsMax() + 1);
        return events.found + end;
    }

    // ---- use

    @Test
    void isOverAfterItsEndAndAfterAFailure() throws Exception {
        ByteView piece = new ByteView();
        MultipartReader reader =
                MultipartReader.of(
                        "multipart/form-data; boundary=B", LIMITS, new MultipartEvents());
        byte[] bytes = Bytes.of("--B--");
        reader.feed(piece.set(MemorySegment.ofArray(bytes), 0, 0));
        reader.feed(piece.set(MemorySegment.ofArray(bytes), 0, 5));
        reader.end();
        assertThatThrownBy(() -> reader.feed(piece)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(reader::end).isInstanceOf(IllegalStateException.class);

        MultipartReader failed =
                MultipartReader.of(
                        "multipart/form-data; boundary=B", LIMITS, new MultipartEvents());
        byte[] wrong = Bytes.of("--Bx");
        assertThatThrownBy(
                        () -> failed.feed(new ByteView().set(MemorySegment.ofArray(wrong), 0, 4)))
                .isInstanceOf(HttpException.class);
        assertThatThrownBy(failed::end).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void partsHaveTheirFields() throws Exception {
        List<Part> parts = new ArrayList<>();
        new MultipartEvents() {
            @Override
            public void field(Part part, String found) {
                parts.add(part);
            }
        }.feed(
                "B",
                LIMITS,
                part("Content-Disposition: form-data; name=n\r\nX-Y:\t z \r\nx-y: 2", "v"),
                at -> 1);
        Part part = parts.getFirst();
        assertThat(part.header(HeaderName.of("x-Y"))).isEqualTo("z");
        assertThat(part.header(HeaderName.of("Content-Disposition")))
                .isEqualTo("form-data; name=n");
        assertThat(part.header(HeaderName.ETAG)).isNull();
        assertThat(part.isFile()).isFalse();
        assertThat(part.safeFilename()).isNull();
        assertThat(part).hasToString("Part[name=n, filename=null]");
    }
}
