package io.bareloop.http1;

import io.bareloop.http.Limits;
import io.bareloop.http.Method;
import io.bareloop.rig.Bytes;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The request head as the RFCs put it, in regular expressions: slow, and plain to check by eye.
 *
 * <p>Where they leave a choice, or where this server is stricter on purpose, a comment says "house
 * rule". An expression that fails but has asked for characters behind the last one ({@link
 * Matcher#hitEnd}) may still match once they have come: that is NEED_MORE.
 */
final class ReferenceParser {
    /** RFC 9110, section 5.6.2. */
    private static final String TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";

    private static final Pattern EMPTY_LINE = Pattern.compile("\r\n");

    /** RFC 9112, section 3: method SP request-target SP. House rule: any visible but '#'. */
    private static final Pattern METHOD = Pattern.compile("(" + TOKEN + "++) ");

    private static final Pattern LONG_METHOD = Pattern.compile(TOKEN + "{33}");

    private static final Pattern TARGET = Pattern.compile("([!\"$-~]++) ");

    /** RFC 9112, section 2.3: it is case-sensitive. House rule: CRLF only. */
    private static final Pattern VERSION = Pattern.compile("HTTP/([0-9])\\.([0-9])\r\n");

    /** RFC 9112, section 5; field-value of RFC 9110, section 5.5, with obs-text. */
    private static final Pattern LINE =
            Pattern.compile("\r\n|(" + TOKEN + "++):[ \t]*+([\t\\x20-\\x7E\\x80-\\xFF]*+)\r\n");

    /**
     * RFC 3986, section 3.2.2. House rules: a name is not empty, and no comma, for it makes a list.
     */
    private static final String REG_NAME = "(?:[A-Za-z0-9\\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+";

    private static final String IPV6 = ipv6("[0-9A-Fa-f]{1,4}");

    private static final String IP_FUTURE = "[vV][0-9A-Fa-f]+\\.[A-Za-z0-9\\-._~!$&'()*+;=:]+";

    /** House rules: no port without a host; no zone, which is for one machine alone (RFC 9844). */
    private static final String AUTHORITY =
            "(?:\\[(?:" + IPV6 + "|" + IP_FUTURE + ")\\]|" + REG_NAME + ")(?::[0-9]*)?";

    private static final Pattern AUTHORITY_ALONE = Pattern.compile(AUTHORITY);

    private static final Pattern HOST = Pattern.compile("(?:" + AUTHORITY + ")?");

    /** RFC 9112, section 3.2. House rule: http and https; userinfo is refused. */
    private static final Pattern ABSOLUTE_FORM =
            Pattern.compile("(?i:https?)://" + AUTHORITY + "((?:[/?][^#]*)?)");

    private static final Pattern ORIGIN_FORM = Pattern.compile("/[^#]*");

    private static final List<String> METHODS =
            List.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE");

    private final Limits limits;
    private String rest = "";
    private HeadOutcome head = HeadOutcome.head();

    ReferenceParser(Limits limits) {
        this.limits = limits;
    }

    /** The nine alternatives of IPv6address, one line each, in the order of the RFC. */
    private static String ipv6(String h16) {
        String octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])";
        String ls32 = "(?:" + h16 + ":" + h16 + "|" + octet + "(?:\\." + octet + "){3}" + ")";
        String group = "(?:" + h16 + ":)";
        return "(?:"
                + String.join(
                        "|",
                        group + "{6}" + ls32,
                        "::" + group + "{5}" + ls32,
                        "(?:" + h16 + ")?::" + group + "{4}" + ls32,
                        "(?:" + group + "{0,1}" + h16 + ")?::" + group + "{3}" + ls32,
                        "(?:" + group + "{0,2}" + h16 + ")?::" + group + "{2}" + ls32,
                        "(?:" + group + "{0,3}" + h16 + ")?::" + group + ls32,
                        "(?:" + group + "{0,4}" + h16 + ")?::" + ls32,
                        "(?:" + group + "{0,5}" + h16 + ")?::" + h16,
                        "(?:" + group + "{0,6}" + h16 + ")?::")
                + ")";
    }

    /** Whether {@code text} is a host, perhaps with a port. */
    static boolean isAuthority(String text) {
        return AUTHORITY_ALONE.matcher(text).matches();
    }

    HeadOutcome parse(byte[] in) {
        boolean full = in.length >= limits.headBytesMax();
        byte[] received = full ? Arrays.copyOf(in, limits.headBytesMax()) : in;
        rest = Bytes.toString(received);
        head = HeadOutcome.head().noHost();
        try {
            parseLines();
            return head.result(received.length - rest.length());
        } catch (Refused refused) {
            boolean tooLarge = refused.status == RequestParser.NEED_MORE && full;
            return HeadOutcome.refused(tooLarge ? -431 : refused.status);
        }
    }

    private void parseLines() throws Refused {
        // RFC 9112, section 2.2: at least one empty line SHOULD be ignored. House rule: just one.
        if (rest.startsWith("\r")) {
            take(EMPTY_LINE, -400);
        }
        String method = methodName();
        String target = target();
        refuseIf(!isTarget(method, target), -400);
        Matcher version = take(VERSION, -400);
        refuseIf(!version.group(1).equals("1"), -505);
        refuseIf(!METHODS.contains(method), -501);
        head.method = Method.valueOf(method);
        head.minorVersion = version.group(2).equals("0") ? 0 : 1;

        Matcher line = take(LINE, -400);
        while (line.group(1) != null) {
            refuseIf(head.fields.size() == limits.fieldsMax(), -431);
            String value = line.group(2).replaceFirst("[ \t]+\\z", "");
            head.field(line.group(1), value);
            noteField(line.group(1).toLowerCase(Locale.ROOT), value);
            line = take(LINE, -400);
        }
        // RFC 9112, section 3.2.
        refuseIf(!head.hasHost && head.minorVersion == 1, -400);
    }

    private String methodName() throws Refused {
        // House rule: a method of over 32 bytes is not waited for.
        refuseIf(LONG_METHOD.matcher(rest).lookingAt(), -501);
        return take(METHOD, -400).group(1);
    }

    private String target() throws Refused {
        String tooLong = "[!\"$-~]{" + (limits.targetBytesMax() + 1) + "}";
        if (rest.length() > limits.targetBytesMax()) {
            refuseIf(Pattern.compile(tooLong).matcher(rest).lookingAt(), -414);
        }
        return take(TARGET, -400).group(1);
    }

    private boolean isTarget(String method, String target) {
        head.target(target);
        Matcher absolute = ABSOLUTE_FORM.matcher(target);
        if (!METHODS.contains(method)) {
            // To be answered 501; CONNECT has a form of its own.
            return true;
        } else if (absolute.matches()) {
            splitPath(target, absolute.group(1));
            return true;
        } else if (ORIGIN_FORM.matcher(target).matches()) {
            splitPath(target, target);
            return true;
        }
        return method.equals("OPTIONS") && target.equals("*");
    }

    private void splitPath(String target, String pathAndQuery) {
        String[] parts = pathAndQuery.split("\\?", 2);
        // RFC 9110, section 4.2.3: an empty path is "/".
        head.target(target, parts[0].isEmpty() ? "/" : parts[0], parts.length > 1 ? parts[1] : "");
    }

    private void noteField(String name, String value) throws Refused {
        String lowerCase = value.toLowerCase(Locale.ROOT);
        if (name.equals("host")) {
            // RFC 9112, section 3.2: more than one, or an invalid one.
            refuseIf(head.hasHost || !HOST.matcher(value).matches(), -400);
            head.hasHost = true;
        } else if (name.equals("content-length")) {
            // RFC 9112, sections 6.2 and 6.3. House rules: once, and up to 18 digits.
            refuseIf(head.chunked || head.contentLength >= 0, -400);
            refuseIf(!value.matches("[0-9]{1,18}"), -400);
            head.contentLength = Long.parseLong(value);
        } else if (name.equals("transfer-encoding")) {
            noteTransferEncoding(lowerCase);
        } else if (name.equals("connection")) {
            // RFC 9110, section 7.6.1: a list of case-insensitive tokens.
            List<String> options = Arrays.asList(lowerCase.split("[ \t]*,[ \t]*", -1));
            head.closes |= options.contains("close");
            head.keepsAlive |= options.contains("keep-alive");
        } else if (name.equals("expect") && head.minorVersion > 0) {
            // RFC 9110, section 10.1.1. House rule: 417 for anything else, lists included.
            refuseIf(!lowerCase.equals("100-continue"), -417);
            head.expectsContinue = true;
        }
    }

    private void noteTransferEncoding(String value) throws Refused {
        // RFC 9112, sections 6.1 and 6.3: not beside Content-Length, not in HTTP/1.0, chunked last
        // and once. House rules: in one field; "chunked" in any word before the last is too many;
        // no empty elements, though RFC 9110, section 5.6.1.2, has lists with them parsed.
        refuseIf(head.chunked || head.contentLength >= 0 || head.minorVersion == 0, -400);
        String[] codings = value.split("[ \t]*,[ \t]*", -1);
        refuseIf(!codings[codings.length - 1].equals("chunked"), -400);
        refuseIf(value.indexOf("chunked") < value.lastIndexOf("chunked"), -400);
        for (String coding : codings) {
            refuseIf(!coding.matches(TOKEN + "+(?:[ \t]*;.*)?"), -400);
        }
        refuseIf(codings.length > 1, -501);
        head.chunked = true;
    }

    /** Matches {@code pattern} where the parser stands, and goes behind it. */
    @SuppressWarnings("JdkObsolete") // hitEnd is made for input that is still coming.
    private Matcher take(Pattern pattern, int otherwise) throws Refused {
        Matcher matcher = pattern.matcher(rest);
        if (!matcher.lookingAt()) {
            throw new Refused(matcher.hitEnd() ? RequestParser.NEED_MORE : otherwise);
        }
        rest = rest.substring(matcher.end());
        return matcher;
    }

    private static void refuseIf(boolean wrong, int status) throws Refused {
        if (wrong) {
            throw new Refused(status);
        }
    }

    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        final int status;

        Refused(int status) {
            super(null, null, false, false);
            this.status = status;
        }
    }
}
