package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which ETag and which Last-Modified a version has, here and on another server. */
@Timeout(60)
class ValidatorsTest {
    private static final int LARGE = 300_000;
    private static final Instant TO_THE_NANO = Instant.parse("2026-02-03T04:05:06.123456789Z");

    @TempDir Path root;
    @TempDir Path replica;

    private static void set(Path file, byte[] bytes, Instant modified) throws IOException {
        Files.createDirectories(file.getParent());
        Path next = Files.write(file.resolveSibling("next"), bytes);
        Files.setLastModifiedTime(next, FileTime.from(modified));
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static byte[] changedAt(int index) {
        byte[] bytes = Site.bytes(1, LARGE);
        bytes[index] ^= 1;
        return bytes;
    }

    private static String tag(Site site, String path) throws IOException {
        return site.get(path).field("ETag");
    }

    // ---- dates

    /** 0 and 1, the days of zip and of npm, and the last second before 1990. */
    @ParameterizedTest
    @ValueSource(
            longs = {
                -86_400,
                -1,
                0,
                1,
                2,
                86_400,
                315_532_800,
                318_211_200,
                499_162_500,
                631_151_999
            })
    void aDateThatSaysNothingIsNone(long second) throws Exception {
        Instant modified = Instant.ofEpochSecond(second);
        set(root.resolve("small"), Site.bytes(1, 100), modified);
        set(root.resolve("large"), Site.bytes(1, LARGE), modified);
        String same = HttpDate.format(second);
        String now = HttpDate.format(System.currentTimeMillis() / 1000);
        try (Site site = new Site(root)) {
            for (String path : new String[] {"/small", "/large"}) {
                Answer reply = site.get(path);
                assertThat(reply.has("Last-Modified")).as(path).isFalse();
                String tag = reply.field("ETag");
                for (String date : new String[] {same, now}) {
                    assertThat(site.get(path, "If-Modified-Since: " + date).status())
                            .isEqualTo(200);
                    // RFC 9110, section 13.1.4: ignored where there is no date.
                    assertThat(site.get(path, "If-Unmodified-Since: " + date).status())
                            .isEqualTo(200);
                    assertThat(site.get(path, "Range: bytes=0-1", "If-Range: " + date).status())
                            .isEqualTo(200);
                }
                assertThat(site.get(path, "If-None-Match: " + tag).status()).isEqualTo(304);
                assertThat(site.get(path, "Range: bytes=0-1", "If-Range: " + tag).status())
                        .isEqualTo(206);
                // And what is given to its client does not bring it in again.
                assertThat(site.get(path, "If-None-Match: " + tag).has("Last-Modified")).isFalse();
                assertThat(site.head(path).has("Last-Modified")).isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {631_152_000, 946_684_800, 1_770_000_000})
    void anyOtherDateIsSent(long second) throws Exception {
        set(root.resolve("small"), Site.bytes(1, 100), Instant.ofEpochSecond(second, 999_999_999));
        set(root.resolve("large"), Site.bytes(1, LARGE), Instant.ofEpochSecond(second));
        try (Site site = new Site(root)) {
            for (String path : new String[] {"/small", "/large"}) {
                String date = site.get(path).field("Last-Modified");
                assertThat(date).isEqualTo(HttpDate.format(second));
                assertThat(site.get(path, "If-Modified-Since: " + date).status()).isEqualTo(304);
            }
        }
    }

    /** RFC 9110, section 8.8.2.1. */
    @Test
    void aTimeToComeIsNone() throws Exception {
        set(root.resolve("large"), Site.bytes(1, LARGE), Instant.now().plusSeconds(10_000));
        try (Site site = new Site(root)) {
            assertThat(site.get("/large").has("Last-Modified")).isFalse();
        }
    }

    // ---- tags of large files

    @Test
    void areTheSameOnEachServer() throws Exception {
        set(root.resolve("large"), Site.bytes(1, LARGE), TO_THE_NANO);
        Files.write(replica.resolve("another inode"), new byte[1]);
        set(replica.resolve("assets/large"), Site.bytes(1, LARGE), TO_THE_NANO);
        try (Site site = new Site(root);
                Site other = new Site(replica)) {
            String tag = tag(site, "/large");
            assertThat(tag(other, "/assets/large")).isEqualTo(tag);
            long inode = (Long) Files.getAttribute(root.resolve("large"), "unix:ino");
            assertThat(tag)
                    .matches("\"[0-9a-f]+-[0-9a-f]+-[A-Za-z0-9_-]{12}\"")
                    .doesNotContain(Long.toHexString(inode) + "-", "-" + Long.toHexString(inode));
        }
    }

    /** The first byte and the last one, the size, and a nanosecond. */
    @Test
    void tellVersionsApart() throws Exception {
        set(root.resolve("large"), Site.bytes(1, LARGE), TO_THE_NANO);
        set(root.resolve("first"), changedAt(0), TO_THE_NANO);
        set(root.resolve("4096"), changedAt(LargeTags.SAMPLE_BYTES - 1), TO_THE_NANO);
        set(root.resolve("last"), changedAt(LARGE - 1), TO_THE_NANO);
        set(root.resolve("-4096"), changedAt(LARGE - LargeTags.SAMPLE_BYTES), TO_THE_NANO);
        set(root.resolve("longer"), Site.bytes(1, LARGE + 1), TO_THE_NANO);
        set(root.resolve("later"), Site.bytes(1, LARGE), TO_THE_NANO.plusNanos(1));
        try (Site site = new Site(root)) {
            assertThat(
                            new String[] {
                                tag(site, "/large"),
                                tag(site, "/first"),
                                tag(site, "/4096"),
                                tag(site, "/last"),
                                tag(site, "/-4096"),
                                tag(site, "/longer"),
                                tag(site, "/later")
                            })
                    .doesNotHaveDuplicates();
        }
    }

    /** As by cp -p: the same size, time and ends. No client may put two of them together. */
    @Test
    void aSecondVersionWithTheSameTimeHasAnother() throws Exception {
        set(root.resolve("large"), Site.bytes(1, LARGE), TO_THE_NANO);
        try (Site site = new Site(root)) {
            Answer first = site.get("/large");
            String before = first.field("ETag");
            String date = first.field("Last-Modified");
            for (int i = 0; i < 3; i++) {
                byte[] bytes = changedAt(LARGE / 2 + i);
                set(root.resolve("large"), bytes, TO_THE_NANO);
                Answer reply = site.get("/large");
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (!reply.body().equals(Site.text(bytes))) {
                    assertThat(System.nanoTime()).isLessThan(end);
                    Thread.sleep(20);
                    reply = site.get("/large");
                }
                String tag = reply.field("ETag");
                assertThat(tag).isNotEqualTo(before).startsWith("\"");
                assertThat(site.get("/large", "If-None-Match: " + before).status()).isEqualTo(200);
                assertThat(reply.has("Last-Modified")).isFalse();
                for (String validator : new String[] {before, date}) {
                    Answer part =
                            site.get("/large", "Range: bytes=100000-", "If-Range: " + validator);
                    assertThat(part.status()).isEqualTo(200);
                    assertThat(part.body()).isEqualTo(Site.text(bytes));
                }
                assertThat(site.get("/large", "Range: bytes=0-1", "If-Range: " + tag).status())
                        .isEqualTo(206);
                before = tag;
            }
            // The first again, by another inode: a third version as far as one can tell.
            set(root.resolve("large"), Site.bytes(1, LARGE), TO_THE_NANO);
            String was = before;
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (tag(site, "/large").equals(was)) {
                assertThat(System.nanoTime()).isLessThan(end);
                Thread.sleep(20);
            }
            assertThat(tag(site, "/large")).isNotEqualTo(first.field("ETag"));
        }
    }

    /** Of builds that are to be the same each time: also where this process has seen one only. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 315_532_800, 499_162_500})
    void aTimeThatSaysNothingIsNotReliedOn(long second) throws Exception {
        Instant modified = Instant.ofEpochSecond(second);
        set(root.resolve("large"), Site.bytes(1, LARGE), modified);
        String before;
        try (Site site = new Site(root)) {
            before = tag(site, "/large");
            assertThat(tag(site, "/large")).isEqualTo(before);
        }
        try (Site again = new Site(root)) {
            assertThat(tag(again, "/large")).as("started anew").isEqualTo(before);
        }
        set(root.resolve("large"), changedAt(LARGE / 2), modified);
        try (Site site = new Site(root)) {
            assertThat(tag(site, "/large")).isNotEqualTo(before);
            long inode = (Long) Files.getAttribute(root.resolve("large"), "unix:ino");
            assertThat(tag(site, "/large")).doesNotContain("-" + Long.toHexString(inode));
        }
    }

    /** Siblings have tags of their own, by the same rules. */
    @Test
    void siblingsToo() throws Exception {
        set(root.resolve("large"), Site.bytes(1, LARGE), TO_THE_NANO);
        set(root.resolve("large.br"), Site.bytes(2, LARGE), TO_THE_NANO);
        set(replica.resolve("large"), Site.bytes(1, LARGE), TO_THE_NANO);
        set(replica.resolve("large.br"), Site.bytes(2, LARGE), TO_THE_NANO);
        try (Site site = new Site(root);
                Site other = new Site(replica)) {
            String tag = site.get("/large", "Accept-Encoding: br").field("ETag");
            assertThat(tag).isNotEqualTo(tag(site, "/large"));
            assertThat(other.get("/large", "Accept-Encoding: br").field("ETag")).isEqualTo(tag);
        }
    }
}
