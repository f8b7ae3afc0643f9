package io.bareloop.files;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.Site;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests for files that are known allocate nothing on the loop, on both tiers. */
@Timeout(120)
class StaticFilesAllocationTest {
    private static final int WINDOW = 10_000;

    /** C2 may have to wait for a CPU of its own; windows are measured until it has come. */
    private static final long COMPILED_NANOS_MAX = 30_000_000_000L;

    private static final String BROWSER =
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101\r\n"
                    + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                    + "Accept-Language: en-US,en;q=0.5\r\nConnection: keep-alive\r\n";

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir Path root;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | GET  | /small.css |",
                "200 | GET  | /small.css | Accept-Encoding: gzip, deflate, br, zstd",
                "200 | GET  | /sm%61ll%2ecss |",
                "200 | HEAD | /small.css |",
                "304 | GET  | /small.css | If-None-Match: TAG",
                "304 | GET  | /small.css | If-None-Match: \"x\", W/TAG",
                "304 | GET  | /small.css | If-Modified-Since: Tue, 03 Feb 2026 04:05:06 GMT",
                "304 | GET  | /small.css | If-Modified-Since: Tue Feb  3 04:05:07 2026",
                "412 | GET  | /small.css | If-Match: \"x\"",
                "206 | GET  | /small.css | Range: bytes=1-1000",
                "206 | GET  | /small.css | Range: bytes=1-1000,2000-2010,-5",
                "404 | GET  | /../x      |",
                "404 | HEAD | /.git/x    | If-None-Match: TAG",
                "200 | GET  | /large.bin |",
                "200 | HEAD | /large.bin |",
                "304 | GET  | /large.bin | If-None-Match: TAG",
                "206 | GET  | /large.bin | Range: bytes=1-20000",
                "206 | GET  | /large.bin | Range: bytes=-20000",
                "206 | GET  | /large.bin | Range: bytes=1-20000,30000-30010,-5",
                "206 | GET  | /large.bin | Range: bytes=1-40000,40002-99999,-5",
                "200 | GET  | /64k.bin   |",
            })
    void knownFilesAllocateNothing(int status, String method, String path, String field)
            throws IOException {
        Site.write(root.resolve("small.css"), Site.bytes(1, 6 << 10));
        Site.write(root.resolve("small.css.br"), Site.bytes(2, 2 << 10));
        Site.write(root.resolve("large.bin"), Site.bytes(3, 100 << 10));
        Site.write(root.resolve("64k.bin"), Site.bytes(4, 64 << 10));
        try (Site site = new Site(root)) {
            String tag = site.get(status == 404 ? "/small.css" : path).field("ETag");
            String request =
                    Client.request(
                            method,
                            path,
                            List.of(BROWSER.strip(), field == null ? "X: y" : field)
                                    .toArray(String[]::new));
            byte[] bytes = request.replace("TAG", tag).getBytes(US_ASCII);
            int length = length(site.client, bytes, method, status);
            int window = path.endsWith(".bin") && method.equals("GET") ? WINDOW / 4 : WINDOW;
            assertThat(least(site, bytes, length, window)).isZero();
        }
    }

    /** Without a page of the root, in both kinds; with one; and what else is refused at once. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "404 | GET    | /../x | text/html,*/*;q=0.8 | false",
                "404 | GET    | /../x | */*                 | false",
                "404 | GET    | /../x | text/html,*/*;q=0.8 | true",
                "404 | HEAD   | /.x   | */*                 | true",
                "400 | GET    | /%zz  | text/html           | false",
                "405 | DELETE | /x    | text/html           | false",
            })
    void errorsAllocateNothing(int status, String method, String path, String accept, boolean own)
            throws IOException {
        Site.write(root.resolve("a.txt"), "a");
        if (own) {
            Site.write(root.resolve("404.html"), Site.bytes(1, 3 << 10));
        }
        try (Site site = new Site(root)) {
            byte[] bytes =
                    Client.request(method, path, "Accept: " + accept, "X: y").getBytes(US_ASCII);
            assertThat(least(site, bytes, length(site.client, bytes, method, status), WINDOW))
                    .isZero();
        }
    }

    private static long least(Site site, byte[] request, int length, int window)
            throws IOException {
        long least = Long.MAX_VALUE;
        long deadline = System.nanoTime() + COMPILED_NANOS_MAX;
        while (least > 0 && System.nanoTime() - deadline < 0) {
            long before = THREADS.getThreadAllocatedBytes(loopThread());
            for (int j = 0; j < window; j++) {
                site.client.send(request);
                site.client.skip(length);
            }
            least = Math.min(least, THREADS.getThreadAllocatedBytes(loopThread()) - before);
        }
        return least;
    }

    private static int length(Client client, byte[] request, String method, int status)
            throws IOException {
        client.send(request);
        Answer reply = method.equals("HEAD") ? client.answerToHead() : client.answer();
        assertThat(reply.status()).isEqualTo(status);
        int length = reply.statusLine().length() + 2 + reply.body().length() + 2;
        for (String line : reply.fields()) {
            length += line.length() + 2;
        }
        return length;
    }

    private static long loopThread() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("bareloop-0"))
                .findAny()
                .orElseThrow()
                .threadId();
    }
}
