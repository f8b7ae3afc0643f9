package io.bareloop.http;

/**
 * The frame of the pages that the server makes itself: legible on a phone and on a large screen, in
 * light and in dark, with nothing to be loaded and no script.
 */
public final class HtmlPage {
    /** The icon is empty, lest browsers ask for /favicon.ico. */
    private static final String FRONT =
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <link rel="icon" href="data:,">
            """;

    private static final String STYLE =
            """
            :root {
              color-scheme: light dark;
              --paper: #fff; --ink: #1f2328; --soft: #59636e; --line: #d9dee3; --tint: #f3f5f7;
              --link: #0a58ca; --seen: #6f42c1;
            }
            @media (prefers-color-scheme: dark) {
              :root {
                --paper: #14171a; --ink: #e4e7ea; --soft: #a3acb5; --line: #30363c; --tint: #1d2125;
                --link: #83b3ff; --seen: #c3a6ff;
              }
            }
            * { box-sizing: border-box; }
            html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
            body {
              margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 4rem;
              background: var(--paper); color: var(--ink);
              font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue",
                "Noto Sans", "DejaVu Sans", sans-serif;
              overflow-wrap: anywhere;
            }
            h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.3; font-weight: 600; }
            p { margin: 0 0 1rem; }
            a { color: var(--link); text-decoration: none; }
            a:visited { color: var(--seen); }
            a:hover, a:focus { text-decoration: underline; }
            .soft { color: var(--soft); }
            """;

    private HtmlPage() {}

    /**
     * A page.
     *
     * @param title as text
     * @param style rules beside those of all pages; may be empty
     * @param body as HTML, which has its text {@link #escape escaped}
     * @return the whole document, to be sent as UTF-8
     */
    public static String of(String title, String style, String body) {
        return FRONT
                + "<title>"
                + escape(title)
                + "</title>\n<style>\n"
                + STYLE
                + style
                + "</style>\n</head>\n<body>\n"
                + body
                + "</body>\n</html>\n";
    }

    /**
     * Escapes what HTML would not show as it is.
     *
     * @param text any
     * @return HTML that shows it: in an element, or in the quotes of an attribute
     */
    public static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
