package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.bareloop.files.Folder.Item;
import io.bareloop.http.Fields;
import io.bareloop.http.HtmlPage;
import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Status;
import java.time.Instant;

/** The page of a {@link Folder}. */
final class Listing {
    private static final Fields FIELDS =
            Fields.NONE.with(MediaType.HTML).with(Names.CACHE_CONTROL, "no-cache");

    /** The layout is fixed: thousands of rows need not be measured, and long names wrap. */
    private static final String STYLE =
            """
            header { display: flex; flex-wrap: wrap; gap: 0 1.5rem; margin: 0 0 1.25rem; }
            h1 { margin: 0 0 .25rem; flex-basis: 100%; white-space: pre-wrap; }
            header p { margin: 0; }
            table { width: 100%; table-layout: fixed; border-collapse: collapse; }
            th, td { padding: .625rem 0; text-align: left; vertical-align: baseline; }
            th { font-weight: inherit; }
            tr { border-bottom: 1px solid var(--line); }
            thead th { font-size: .875rem; color: var(--soft); }
            td { font-size: .875rem; color: var(--soft); font-variant-numeric: tabular-nums; }
            tbody th { padding-right: 1rem; white-space: pre-wrap; }
            tbody tr:hover { background: var(--tint); }
            .size { width: 6rem; text-align: right; white-space: nowrap; }
            .date { width: 11rem; padding-left: 2rem; }
            td { overflow-wrap: normal; }
            @media (max-width: 40rem) {
              body { padding-top: 1.5rem; }
              .size { width: 4.5rem; }
              .date { width: 6.75rem; padding-left: 1.25rem; }
            }
            """;

    private static final String TABLE =
            """
            <table>
            <thead>
            <tr><th scope="col">Name</th><th scope="col" class="size">Size</th>\
            <th scope="col" class="date">Modified (UTC)</th></tr>
            </thead>
            <tbody>
            """;

    private static final String[] UNITS = {"kB", "MB", "GB", "TB", "PB", "EB"};

    private Listing() {}

    /**
     * The page.
     *
     * @param mount what stands in front of {@code path} in URLs
     * @param path of the directory, its characters being bytes
     */
    static Prepared page(String mount, String path, Folder folder) {
        String title = new String((mount + path).getBytes(ISO_8859_1), UTF_8);
        StringBuilder body = new StringBuilder();
        body.append("<header>\n<h1>").append(HtmlPage.escape(title)).append("</h1>\n");
        if (!path.equals("/")) {
            body.append("<p><a href=\"../\">Parent folder</a></p>\n");
        }
        body.append("<p class=\"soft\">").append(summary(folder)).append("</p>\n</header>\n");
        if (!folder.items().isEmpty()) {
            body.append(TABLE);
            for (Item item : folder.items()) {
                appendRow(item, body);
            }
            body.append("</tbody>\n</table>\n");
        }
        String page = HtmlPage.of(title, STYLE, "<main>\n" + body + "</main>\n");
        return Prepared.of(Status.OK, FIELDS, page.getBytes(UTF_8));
    }

    private static String summary(Folder folder) {
        if (folder.isCut()) {
            return "This folder has more than the "
                    + Folder.ITEMS_MAX
                    + " entries that are listed here.";
        }
        long files = folder.items().stream().filter(Item::isFile).count();
        long folders = folder.items().size() - files;
        if (files + folders == 0) {
            return "This folder is empty.";
        }
        String sum = folders == 0 ? "" : count(folders, "folder");
        return sum
                + (folders > 0 && files > 0 ? ", " : "")
                + (files == 0 ? "" : count(files, "file"));
    }

    private static String count(long number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    private static void appendRow(Item item, StringBuilder page) {
        // "./", lest a name with a colon be taken for a scheme.
        page.append("<tr><th scope=\"row\"><a href=\"./")
                .append(HtmlPage.escape(RequestPath.encode(item.name())))
                .append("\">")
                .append(HtmlPage.escape(item.text()))
                .append("</a></th><td class=\"size\"");
        if (item.isFile()) {
            page.append(" title=\"").append(count(item.size(), "byte")).append("\">");
            page.append(size(item.size()));
        } else {
            page.append('>');
        }
        // As ISO 8601 has it, to the second.
        String date =
                Instant.ofEpochSecond(Math.floorDiv(item.modifiedNanos(), 1_000_000_000L))
                        .toString();
        page.append("</td><td class=\"date\"><time datetime=\"")
                .append(date)
                .append("\">")
                .append(date, 0, 10)
                .append(' ')
                .append(date, 11, 16)
                .append("</time></td></tr>\n");
    }

    /** {@code bytes} in the largest unit of which there is one, with two digits or three. */
    static String size(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double amount = bytes / 1000.0;
        int unit = 0;
        // What would be rounded to 1000 is 1.0 of the next.
        while (amount >= 999.5) {
            amount /= 1000;
            unit++;
        }
        long tenths = Math.round(amount * 10);
        return (tenths < 100 ? tenths / 10 + "." + tenths % 10 : String.valueOf(Math.round(amount)))
                + " "
                + UNITS[unit];
    }
}
