package io.bareloop.http;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code Forwarded} by regular expressions, to compare {@link ProxyChain} with. */
final class ForwardedReference {
    private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
    private static final Pattern PAIR =
            Pattern.compile("(" + TOKEN + ")=(?:(" + TOKEN + ")|\"((?:[^\"\\\\]|\\\\.)*)\")");
    private static final Pattern NODE =
            Pattern.compile(
                    "(?:((?:\\d+\\.){3}\\d+)|\\[([0-9A-Fa-f:.]+)])"
                            + "(?::(?:(\\d{1,5})|_[0-9A-Za-z._-]+))?");
    private static final Pattern IPV4_NUMBER =
            Pattern.compile("(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)");

    /** Who is found: the address as the JDK has it, the port, and the scheme. */
    record Found(InetAddress address, int port, String scheme, boolean forwarded) {}

    /** What one element says; null for what it does not. */
    private record Element(InetAddress address, int port, String scheme) {}

    private ForwardedReference() {}

    static Found find(InetAddress peer, List<String> lines, Predicate<InetAddress> trusted) {
        Found found = new Found(peer, 0, "http", false);
        if (!trusted.test(peer)) {
            return found;
        }
        List<Element> elements = new ArrayList<>();
        lines.forEach(line -> read(line, elements));
        int first = Math.max(0, elements.size() - 32);
        for (int i = elements.size() - 1; i >= first; i--) {
            Element element = elements.get(i);
            String scheme = element.scheme() != null ? element.scheme() : found.scheme();
            if (element.address() == null) {
                return new Found(found.address(), found.port(), scheme, found.forwarded());
            }
            found = new Found(element.address(), element.port(), scheme, true);
            if (!trusted.test(element.address())) {
                return found;
            }
        }
        return found;
    }

    private static void read(String line, List<Element> elements) {
        String rest = line;
        while (true) {
            rest = rest.replaceFirst("^[, \t]+", "");
            if (rest.isEmpty()) {
                return;
            }
            String left = element(rest, elements);
            if (left == null) {
                elements.add(new Element(null, 0, null));
                int comma = rest.indexOf(',');
                left = comma < 0 ? "" : rest.substring(comma);
            }
            rest = left;
        }
    }

    /** Reads one; returns what is left behind it, or null where it is malformed. */
    private static String element(String text, List<Element> elements) {
        String rest = text;
        Set<String> names = new HashSet<>();
        InetAddress address = null;
        int port = 0;
        String scheme = null;
        while (!rest.isEmpty() && !rest.startsWith(",")) {
            if (rest.startsWith(";")) {
                rest = rest.substring(1);
                continue;
            }
            if (rest.startsWith(" ") || rest.startsWith("\t")) {
                rest = rest.replaceFirst("^[ \t]+", "");
                if (!rest.isEmpty() && !rest.startsWith(",")) {
                    return null;
                }
                continue;
            }
            Matcher pair = PAIR.matcher(rest);
            if (!pair.lookingAt()) {
                return null;
            }
            String name = pair.group(1).toLowerCase(Locale.ROOT);
            boolean once = Set.of("for", "proto", "by", "host").contains(name);
            if (once && !names.add(name)) {
                return null;
            }
            String value =
                    pair.group(2) != null
                            ? pair.group(2)
                            : pair.group(3).replaceAll("\\\\(.)", "$1");
            rest = rest.substring(pair.end());
            if (!rest.isEmpty() && ";, \t".indexOf(rest.charAt(0)) < 0) {
                return null;
            }
            Matcher node = NODE.matcher(value);
            if (name.equals("for") && value.length() <= 64 && node.matches()) {
                address = address(node);
                port = node.group(3) == null ? 0 : Integer.parseInt(node.group(3));
                if (port > 65_535) {
                    address = null;
                }
            } else if (name.equals("proto") && value.toLowerCase(Locale.ROOT).matches("https?")) {
                scheme = value.toLowerCase(Locale.ROOT);
            }
        }
        elements.add(new Element(address, port, scheme));
        return rest;
    }

    private static InetAddress address(Matcher node) {
        String text = node.group(1);
        if (text != null) {
            for (String number : text.split("\\.", -1)) {
                if (!IPV4_NUMBER.matcher(number).matches()) {
                    return null;
                }
            }
        } else if (!node.group(2).contains(":")) {
            return null;
        } else {
            text = node.group(2);
            if (text.matches(".*[:.]0\\d+(\\..*)?") && text.contains(".")) {
                return null; // The JDK takes octal numbers for decimal ones.
            }
        }
        try {
            return InetAddress.getByName(node.group(2) != null ? "[" + text + "]" : text);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
