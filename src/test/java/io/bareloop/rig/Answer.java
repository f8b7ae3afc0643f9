package io.bareloop.rig;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A response, taken apart.
 *
 * @param statusLine without its line break
 * @param fields in their order, each as {@code "Name: value"}
 * @param body one character a byte; without the frame of its chunks
 * @param chunks the length of each chunk but the last, which is empty; none of another framing
 */
public record Answer(String statusLine, List<String> fields, String body, List<Integer> chunks) {
    private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.1 [1-5][0-9][0-9] [ -~]*");
    private static final Pattern FIELD =
            Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\u0080-\u00ff]*");

    public Answer {
        if (!STATUS_LINE.matcher(statusLine).matches()) {
            throw new AssertionError("no status line: \"" + Bytes.escape(statusLine) + '"');
        }
        for (String field : fields) {
            if (!FIELD.matcher(field).matches()) {
                throw new AssertionError("no field: \"" + Bytes.escape(field) + '"');
            }
        }
    }

    /** A response without a body. */
    public static Answer ofHead(String statusLine, List<String> fields) {
        return new Answer(statusLine, List.copyOf(fields), "", List.of());
    }

    /** This, with a body that came in {@code chunks}, or in none. */
    public Answer with(String newBody, List<Integer> newChunks) {
        return new Answer(statusLine, fields, newBody, List.copyOf(newChunks));
    }

    public int status() {
        return Integer.parseInt(statusLine.substring(9, 12));
    }

    /** Whether there is a field of that name. */
    public boolean has(String name) {
        return !values(name).isEmpty();
    }

    /** The value of the only field of that name. */
    public String field(String name) {
        List<String> values = values(name);
        if (values.size() != 1) {
            throw new AssertionError(
                    values.size() + " fields " + name + ": " + statusLine + " " + fields);
        }
        return values.getFirst();
    }

    /** The values of all fields of that name. */
    public List<String> values(String name) {
        List<String> values = new ArrayList<>();
        for (String field : fields) {
            if (field.regionMatches(true, 0, name + ": ", 0, name.length() + 2)) {
                values.add(field.substring(name.length() + 2));
            }
        }
        return values;
    }

    /** Whether it says that it is the connection's last. */
    public boolean closes() {
        return has("Connection") && field("Connection").equals("close");
    }
}
