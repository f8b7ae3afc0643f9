package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.http.Handler;
import io.bareloop.http.HeaderName;
import io.bareloop.rig.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A browser loads a small site, and again with what it has cached. Skipped where there is none. */
@Timeout(120)
class ChromiumTest {
    private static final List<String> BROWSERS =
            List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

    private static final List<String> PARTS =
            List.of("/style.css", "/app.js", "/dot.png", "/probe.ttf");

    /** One pixel. */
    private static final String PNG =
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
                    + "awAAAABJRU5ErkJggg==";

    /** A font with the letter A, which is a box. */
    private static final String FONT =
            "AAEAAAAKAIAAAwAgT1MvMkUgRo0AAAEoAAAAYGNtYXAADACUAAABkAAAADRnbHlmTRZqwA"
                    + "AAAcwAAAAwaGVhZDDpCzAAAACsAAAANmhoZWEGpgOGAAAA5AAAACRobXR4A+gAAAAAAYgA"
                    + "AAAGbG9jYQAYAAwAAAHEAAAABm1heHAABAAGAAABCAAAACBuYW1lOQw10QAAAfwAAABacG"
                    + "9zdAAoAAAAAAJYAAAAJgABAAAAAQAAl4SvsV8PPPUAAwPoAAAAAOcnY8oAAAAA5ydjygAA"
                    + "AAADhAK8AAAAAwACAAAAAAAAAAEAAAMg/zgAAAPoAAAAZAOEAAEAAAAAAAAAAAAAAAAAAA"
                    + "ABAAEAAAACAAQAAQAAAAAAAgAAAAAAAAAAAAAAAAAAAAAAAwPoAZAABQAEAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAPz8/PwAAAEEAQQMgAA"
                    + "AAAAMgAMgAAAAAAAAAAAAAAAAAAAAgAAAD6AAAAAAAAAAAAAIAAAADAAAAFAADAAEAAAAU"
                    + "AAQAIAAAAAQABAABAAAAQf//AAAAQf///8AAAQAAAAAAAAAMABgAAAABAAAAAAOEArwAAw"
                    + "AAMREhEQOEArz9RAABAAAAAAOEArwAAwAAMREhEQOEArz9RAAAAAQANgABAAAAAAABAAUA"
                    + "AAABAAAAAAACAAcABQADAAEECQABAAoADAADAAEECQACAA4AFlByb2JlUmVndWxhcgBQAH"
                    + "IAbwBiAGUAUgBlAGcAdQBsAGEAcgAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAgAAACQAAA==";

    private static final String PAGE =
            """
            <!DOCTYPE html><html><head><meta charset="utf-8"><title>site</title>
            <link rel="stylesheet" href="style.css"><script src="app.js" defer></script></head>
            <body><img id="dot" src="dot.png"><p id="text">A</p><p id="result">nothing</p></body>
            </html>
            """;

    private static final String STYLE =
            """
            @font-face { font-family: Probe; src: url(probe.ttf); }
            #text { color: rgb(1, 2, 3); font-family: Probe; }
            """;

    /** Says what has come of each part; then asks for each again, with what is cached. */
    private static final String SCRIPT =
            """
            addEventListener("load", async () => {
                const said = [];
                const text = document.getElementById("text");
                said.push("style " + getComputedStyle(text).color);
                const fonts = await document.fonts.load("16px Probe");
                said.push("font " + fonts.length);
                said.push("image " + document.getElementById("dot").naturalWidth);
                for (const part of ["style.css", "app.js", "dot.png", "probe.ttf"]) {
                    const again = await fetch(part, {cache: "no-cache"});
                    said.push(part + " " + again.status + " " + (await again.blob()).size);
                }
                document.getElementById("result").textContent = said.join("; ");
            });
            """;

    @TempDir Path directory;

    private final Map<String, AtomicInteger> requests = new ConcurrentHashMap<>();

    @Test
    void loadsASiteAndRevalidatesIt() throws IOException, InterruptedException {
        String browser =
                BROWSERS.stream()
                        .filter(path -> Files.isExecutable(Path.of(path)))
                        .findFirst()
                        .orElse(null);
        assumeTrue(browser != null, "no Chromium: no browser has looked at the files");
        Path root = directory.resolve("site");
        byte[] png = Base64.getDecoder().decode(PNG);
        byte[] font = Base64.getDecoder().decode(FONT);
        Site.write(root.resolve("index.html"), PAGE);
        Site.write(root.resolve("style.css"), STYLE);
        Site.write(root.resolve("app.js"), SCRIPT);
        Site.write(root.resolve("dot.png"), png);
        Site.write(root.resolve("probe.ttf"), font);
        try (Site site =
                new Site(root, builder -> builder.cacheControl("no-cache"), this::noting)) {
            String page = load(browser, site.server.origin() + "/");
            assertThat(page)
                    .contains("style rgb(1, 2, 3)", "font 1", "image 1")
                    .contains("style.css 200 " + STYLE.length())
                    .contains("app.js 200 " + SCRIPT.length())
                    .contains("dot.png 200 " + png.length)
                    .contains("probe.ttf 200 " + font.length);
            for (String part : PARTS) {
                assertThat(count(part + " unconditionally")).as(part).isEqualTo(1);
                // With If-None-Match, which the file has not ceased to match: 304.
                assertThat(count(part + " if")).as(part).isPositive();
                String tag = site.get(part).field("ETag");
                assertThat(lastTag(part)).isEqualTo(tag);
                assertThat(site.get(part, "If-None-Match: " + tag).status()).isEqualTo(304);
            }
        }
    }

    private final Map<String, String> lastTags = new ConcurrentHashMap<>();

    private String lastTag(String path) {
        return lastTags.get(path);
    }

    private int count(String what) {
        AtomicInteger count = requests.get(what);
        return count == null ? 0 : count.get();
    }

    /** Notes how each path is asked for, then has the files answer. */
    private Handler noting(Handler files) {
        return (request, response) -> {
            String path = request.path().toString();
            var tag = request.header(HeaderName.IF_NONE_MATCH);
            if (tag != null) {
                lastTags.put(path, tag.toString());
            }
            requests.computeIfAbsent(
                            path + (tag == null ? " unconditionally" : " if"),
                            key -> new AtomicInteger())
                    .incrementAndGet();
            files.handle(request, response);
        };
    }

    /** The page as it stands when its script is done. */
    private String load(String browser, String url) throws IOException, InterruptedException {
        Path out = directory.resolve("page");
        Process process =
                new ProcessBuilder(
                                browser,
                                "--headless=new",
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-dev-shm-usage",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--user-data-dir=" + directory.resolve("profile"),
                                "--virtual-time-budget=20000",
                                "--dump-dom",
                                url)
                        .redirectOutput(out.toFile())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            assertThat(process.waitFor(90, TimeUnit.SECONDS)).as("ends").isTrue();
        } finally {
            process.destroyForcibly().waitFor();
        }
        return Files.readString(out, ISO_8859_1);
    }
}
