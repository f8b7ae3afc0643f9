package io.bareloop.files;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Which Cache-Control a path gets: that of the first pattern that matches it, or the default. */
final class CacheControl {
    private record Rule(Pattern pattern, String value) {}

    private final List<Rule> rules = new ArrayList<>();
    private String otherwise;

    void otherwise(String value) {
        otherwise = value;
    }

    void add(String glob, String value) {
        rules.add(new Rule(pattern(glob), value));
    }

    /** The value for {@code path}, or null for none. */
    String of(String path) {
        for (Rule rule : rules) {
            if (rule.pattern.matcher(path).matches()) {
                return rule.value;
            }
        }
        return otherwise;
    }

    /**
     * "*" is any part of one segment, "**" of several, "?" one character. Without a slash in front
     * a pattern matches at any depth.
     */
    private static Pattern pattern(String glob) {
        StringBuilder regex = new StringBuilder(glob.startsWith("/") ? "" : "/(?:.*/)?");
        for (int i = 0; i < glob.length(); i++) {
            char c = glob.charAt(i);
            if (c == '*') {
                boolean two = i + 1 < glob.length() && glob.charAt(i + 1) == '*';
                regex.append(two ? ".*" : "[^/]*");
                i += two ? 1 : 0;
            } else if (c == '?') {
                regex.append("[^/]");
            } else {
                regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }
}
