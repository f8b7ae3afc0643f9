package io.bareloop.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Site;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a listing shows is what a request is answered for, and the other way round. */
@Timeout(60)
class ListingTest {
    private static final Pattern LINK = Pattern.compile("<th scope=\"row\"><a href=\"([^\"]*)\">");

    /** Names that no request can have, in words of printf(1), and things that are no files. */
    private static final String MAKE =
            """
            set -e
            mkdir sub sub/deep dir.html "odd & <b>"
            echo 1 > good.txt; echo 2 > sub/good.txt; echo 3 > sub/deep/good.txt
            echo 4 > 'a:b'; echo 5 > "odd & <b>/it's \\"so\\""; echo 6 > '100%'; echo 6 > 'a?b#c'
            echo 7 > "$(printf '\\303\\274.txt')"
            for name in '\\377' 'a\\200' '\\300\\256' '\\355\\240\\200' 'a\\001b' 'a\\177b' \
                    'a\\nb' 'a\\tb' 'a\\\\b'; do
                echo no > "$(printf "$name.no")"
                mkdir "$(printf "$name.no.d")"
            done
            echo no > .no; mkdir .no.d .well-known; echo no > .well-known/x
            mkfifo pipe.no; ln -s pipe.no link-to-pipe.no
            ln -s good.txt link-to-file; ln -s sub link-to-directory
            ln -s /etc/passwd absolute.no; ln -s ../outside.txt out.no; ln -s ../ out-directory.no
            ln -s nowhere dangling.no; ln -s circle.no circle.no; ln -s .no to-dot
            echo no > ../outside.txt
            cd sub
            long=$(printf '%250s' '' | tr ' ' d)
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do mkdir $long; cd $long; done
            # 4021 bytes so far, with all slashes: names of 74 fit, those of directories of 73.
            name=$(printf '%72s' '' | tr ' ' f)
            echo yes > "$name"; echo yes > "${name}12"; echo no > "${name}123"
            mkdir "${name}d" "${name}no"
            """;

    @TempDir Path parent;
    private Path root;

    @BeforeEach
    void make() throws IOException, InterruptedException {
        root = Files.createDirectory(parent.resolve("root"));
        Process shell =
                new ProcessBuilder("sh", "-c", MAKE).directory(root.toFile()).inheritIO().start();
        assertThat(shell.waitFor()).isZero();
    }

    /** Before the directory is deleted: with paths of this length Java cannot. */
    @AfterEach
    void delete() throws IOException, InterruptedException {
        Process rm = new ProcessBuilder("rm", "-rf", root.toString()).inheritIO().start();
        assertThat(rm.waitFor()).isZero();
    }

    private static final class NoOpenat2 extends Syscalls {
        NoOpenat2(Arena arena) {
            super(arena);
        }

        @Override
        public int openat2(int dirFd, MemorySegment path, int flags, int resolve) {
            return -Errno.ENOSYS;
        }
    }

    /** The links of the page and of all pages below, each of which is answered. */
    private static List<String> crawl(Site site, String path, List<String> found)
            throws IOException {
        Answer reply = site.get(path);
        assertThat(reply.status()).as(path).isEqualTo(200);
        Matcher links = LINK.matcher(reply.body());
        while (path.endsWith("/") && links.find()) {
            String link = links.group(1).replace("&amp;", "&").replace("&quot;", "\"");
            link = link.replace("&#39;", "'");
            assertThat(link).startsWith("./");
            found.add(path + link.substring(2));
            crawl(site, path + link.substring(2), found);
        }
        return found;
    }

    @Test
    void eachLinkIsAnswered() throws IOException {
        try (Site site = new Site(root, builder -> builder.listing(true))) {
            List<String> links = crawl(site, "/", new ArrayList<>());
            assertThat(links)
                    .contains(
                            "/good.txt",
                            "/sub/",
                            "/sub/deep/good.txt",
                            "/dir.html/",
                            "/a%3Ab",
                            "/100%25",
                            "/a%3Fb%23c",
                            "/%C3%BC.txt",
                            "/link-to-file",
                            "/link-to-directory/deep/good.txt",
                            "/odd%20&%20%3Cb%3E/it's%20%22so%22",
                            "/to-dot")
                    .noneMatch(link -> link.contains("no"));
            assertThat(links).filteredOn(link -> link.endsWith("ff12")).hasSize(1);
            assertThat(links).filteredOn(link -> link.endsWith("ffd/")).hasSize(1);
            assertThat(links).noneMatch(link -> link.contains("well-known"));
        }
    }

    /** Without openat2 no link is followed, so none is shown. */
    @Test
    void eachLinkIsAnsweredBeforeOpenat2() throws IOException {
        try (Site site = new Site(root, builder -> builder.listing(true).calls(NoOpenat2::new))) {
            List<String> links = crawl(site, "/", new ArrayList<>());
            assertThat(links)
                    .contains("/good.txt", "/sub/deep/good.txt")
                    .noneMatch(link -> link.contains("link-to") || link.contains("no"));
        }
    }

    @Test
    void withDotFilesAndOutsideLinks() throws IOException {
        Files.delete(root.resolve("out-directory.no")); // leads to itself, for ever
        try (Site site =
                new Site(
                        root, builder -> builder.listing(true).dotFiles(true).outsideLinks(true))) {
            List<String> links = crawl(site, "/", new ArrayList<>());
            assertThat(links)
                    .contains("/.no", "/.no.d/", "/.well-known/x", "/out.no", "/absolute.no")
                    .noneMatch(link -> link.contains("pipe"))
                    .noneMatch(link -> link.contains("dangling") || link.contains("circle"));
        }
    }

    @Test
    void theTitleIsThePathInTheUrl() throws IOException {
        try (Site site = new Site(root, builder -> builder.listing(true).mount("/assets/v1"))) {
            assertThat(site.get("/assets/v1/").body())
                    .contains("<title>/assets/v1/</title>", "<h1>/assets/v1/</h1>")
                    .doesNotContain("../");
            assertThat(site.get("/assets/v1/sub/").body())
                    .contains("<title>/assets/v1/sub/</title>", "href=\"../\"");
            assertThat(crawl(site, "/assets/v1/", new ArrayList<>()))
                    .contains("/assets/v1/sub/deep/good.txt");
        }
        try (Site site = new Site(root, builder -> builder.listing(true))) {
            assertThat(site.get("/odd%20&%20%3Cb%3E/").body())
                    .contains("<title>/odd &amp; &lt;b&gt;/</title>");
        }
    }

    private static List<String> names(Answer page) {
        return Pattern.compile("<th scope=\"row\"><a href=\"[^\"]*\">([^<]*)</a></th>")
                .matcher(page.body())
                .results()
                .map(row -> row.group(1))
                .toList();
    }

    @Test
    void rowsHaveSizeAndDateInOrder() throws IOException {
        Path folder = parent.resolve("folder");
        Site.write(folder.resolve("b.txt"), "x".repeat(6144));
        Site.write(folder.resolve("A.txt"), "1");
        Site.write(folder.resolve("a.txt"), "");
        Site.write(folder.resolve("Z/inside.txt"), "1");
        Site.write(folder.resolve("c/inside.txt"), "1");
        for (String name : List.of("Z", "c")) {
            Files.setLastModifiedTime(folder.resolve(name), FileTime.from(Site.MODIFIED));
        }
        Files.createDirectory(folder.resolve("empty"));
        Files.createSymbolicLink(folder.resolve("link"), Path.of("b.txt"));
        try (Site site = new Site(folder, builder -> builder.listing(true))) {
            Answer page = site.get("/");
            assertThat(names(page))
                    .containsExactly("c/", "empty/", "Z/", "A.txt", "a.txt", "b.txt", "link");
            String date = "<time datetime=\"2026-02-03T04:05:06Z\">2026-02-03 04:05</time>";
            assertThat(page.body())
                    .contains("<html lang=\"en\">", "width=device-width", "color-scheme")
                    .contains("<th scope=\"col\">Name</th>", "Modified (UTC)")
                    .contains("3 folders, 4 files")
                    .contains("c/</a></th><td class=\"size\"></td><td class=\"date\">" + date)
                    .contains("A.txt</a></th><td class=\"size\" title=\"1 byte\">1 B</td>")
                    .contains("a.txt</a></th><td class=\"size\" title=\"0 bytes\">0 B</td>")
                    .contains(
                            "b.txt</a></th><td class=\"size\" title=\"6144 bytes\">6.1 kB</td>"
                                    + "<td class=\"date\">"
                                    + date)
                    .contains("link</a></th><td class=\"size\" title=\"6144 bytes\">")
                    .doesNotContain("<script", "Parent folder", "http:", "https:");
            assertThat(page.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
            Answer empty = site.get("/empty/");
            assertThat(empty.body())
                    .contains("This folder is empty.", "<a href=\"../\">Parent folder</a>")
                    .doesNotContain("<table");
            Answer head = site.head("/empty/");
            assertThat(head.field("Content-Length")).isEqualTo(empty.field("Content-Length"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "999, 999 B",
        "1000, 1.0 kB",
        "1049, 1.0 kB",
        "1050, 1.1 kB",
        "9949, 9.9 kB",
        "9950, 10 kB",
        "999499, 999 kB",
        "999500, 1.0 MB",
        "1234567, 1.2 MB",
        "999499999, 999 MB",
        "5000000000000, 5.0 TB",
        "9223372036854775807, 9.2 EB",
    })
    void sizesAreReadable(long bytes, String text) {
        assertThat(Listing.size(bytes)).isEqualTo(text);
    }

    @Test
    void aNameIsNothingButText() throws IOException {
        Path folder = Files.createDirectory(parent.resolve("folder"));
        Files.createDirectory(folder.resolve("<i>&amp;\"'"));
        Site.write(folder.resolve("javascript:alert(1)"), "colon");
        Site.write(folder.resolve("<script>alert(1)<script>"), "script");
        try (Site site = new Site(folder, builder -> builder.listing(true))) {
            assertThat(site.get("/").body())
                    .contains("href=\"./%3Cscript%3Ealert(1)%3Cscript%3E\">&lt;script&gt;alert(1)")
                    .contains("href=\"./javascript%3Aalert(1)\"")
                    .contains("href=\"./%3Ci%3E&amp;amp%3B%22&#39;/\"")
                    .doesNotContain("<script", "<i>");
            assertThat(site.get("/%3Ci%3E&amp%3B%22'/").body())
                    .contains("<h1>/&lt;i&gt;&amp;amp;&quot;&#39;/</h1>")
                    .contains("<title>/&lt;i&gt;&amp;amp;&quot;&#39;/</title>");
        }
    }

    /** One more than is listed, and it is said; without the one, nothing is. */
    @Test
    void aLargeFolderIsCutOff() throws IOException {
        Path folder = Files.createDirectory(parent.resolve("folder"));
        for (int i = 0; i <= Folder.ITEMS_MAX; i++) {
            Files.createFile(folder.resolve("f" + i));
        }
        try (Site site = new Site(folder, builder -> builder.listing(true))) {
            Answer page = site.get("/");
            assertThat(names(page)).hasSize(Folder.ITEMS_MAX).doesNotHaveDuplicates();
            assertThat(page.body()).contains("more than the 10000 entries that are listed here");
            Files.delete(folder.resolve("f0"));
            page = site.get("/");
            assertThat(names(page)).hasSize(Folder.ITEMS_MAX);
            assertThat(page.body()).contains("10000 files").doesNotContain("more than");
        }
    }

    /** What a link leads to cannot be seen without a descriptor: no page that lacks it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void withoutDescriptors(boolean whileReading) throws IOException {
        boolean[] failing = new boolean[1];
        try (Site site =
                new Site(
                        root,
                        builder ->
                                builder.listing(true)
                                        .log(line -> {})
                                        .calls(
                                                arena ->
                                                        new Syscalls(arena) {
                                                            @Override
                                                            public int openat2(
                                                                    int dirFd,
                                                                    MemorySegment path,
                                                                    int flags,
                                                                    int resolve) {
                                                                String name = path.getString(0);
                                                                boolean fails =
                                                                        name.startsWith("link")
                                                                                || !whileReading;
                                                                return failing[0] && fails
                                                                        ? -Errno.EMFILE
                                                                        : super.openat2(
                                                                                dirFd, path, flags,
                                                                                resolve);
                                                            }
                                                        }))) {
            failing[0] = true;
            assertThat(site.get("/").status()).isEqualTo(503);
            failing[0] = false;
            assertThat(site.get("/").status()).isEqualTo(200);
        }
    }

    // ---- RFC 8615

    @Test
    void wellKnownIsServedAndNotListed() throws IOException {
        Site.write(root.resolve(".well-known/security.txt"), "Contact: mailto:a@b.example");
        Site.write(root.resolve(".well-known/acme-challenge/token"), "token");
        Site.write(root.resolve(".well-known/.env"), "secret");
        Site.write(root.resolve("sub/.well-known/x"), "no");
        Site.write(root.resolve(".env"), "secret");
        try (Site site = new Site(root, builder -> builder.listing(true).fallback("/good.txt"))) {
            assertThat(site.get("/.well-known/acme-challenge/token").body()).isEqualTo("token");
            Answer contact = site.get("/.well-known/security.txt");
            assertThat(contact.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
            assertThat(site.head("/%2ewell-known/security.txt").status()).isEqualTo(200);
            assertThat(site.get("/.well-known").field("Location")).isEqualTo("/.well-known/");
            for (String path :
                    List.of(
                            "/.well-known/",
                            "/.well-known/acme-challenge/",
                            "/.well-known/change-password",
                            "/.well-known/.env",
                            "/.well-known/../.env",
                            "/sub/.well-known/x",
                            "/.env")) {
                assertThat(site.get(path).status()).as(path).isEqualTo(404);
            }
            assertThat(site.get("/route").status()).as("the fallback").isEqualTo(200);
        }
        try (Site site =
                new Site(
                        root.resolve(".well-known"),
                        builder -> builder.mount("/.well-known").fallback("/security.txt"))) {
            assertThat(site.get("/.well-known/acme-challenge/token").body()).isEqualTo("token");
            assertThat(site.get("/.well-known/change-password").status()).isEqualTo(404);
            assertThat(site.get("/.well-known/.env").status()).isEqualTo(404);
        }
        try (Site site = new Site(root, builder -> builder.mount("/assets"))) {
            assertThat(site.get("/assets/.well-known/security.txt").status()).isEqualTo(404);
        }
        try (Site site = new Site(root, builder -> builder.dotFiles(true).listing(true))) {
            assertThat(site.get("/.well-known/").body()).contains("security.txt", ".env");
            assertThat(site.get("/").body()).contains(".well-known/");
        }
    }
}
