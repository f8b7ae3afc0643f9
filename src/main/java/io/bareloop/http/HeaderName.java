package io.bareloop.http;

import io.bareloop.wire.Ascii;
import io.bareloop.wire.Encoded;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/**
 * The name of a field, encoded once: make one per name, as a constant, not one per request.
 *
 * <p>Names compare without regard to case (RFC 9110, section 5.1).
 */
public final class HeaderName {
    /** What the server writes itself, to keep every response framed as it says. */
    private static final Set<String> SERVERS =
            Set.of(
                    "connection",
                    "content-length",
                    "date",
                    "keep-alive",
                    "server",
                    "trailer",
                    "transfer-encoding",
                    "upgrade");

    /** Access-Control-Allow-Headers. */
    public static final HeaderName ACCESS_CONTROL_ALLOW_HEADERS =
            of("Access-Control-Allow-Headers");

    /** Access-Control-Allow-Methods. */
    public static final HeaderName ACCESS_CONTROL_ALLOW_METHODS =
            of("Access-Control-Allow-Methods");

    /** Access-Control-Allow-Origin. */
    public static final HeaderName ACCESS_CONTROL_ALLOW_ORIGIN = of("Access-Control-Allow-Origin");

    /** Accept. */
    public static final HeaderName ACCEPT = of("Accept");

    /** Accept-Encoding. */
    public static final HeaderName ACCEPT_ENCODING = of("Accept-Encoding");

    /** Allow. */
    public static final HeaderName ALLOW = of("Allow");

    /** Authorization. */
    public static final HeaderName AUTHORIZATION = of("Authorization");

    /** Cache-Control. */
    public static final HeaderName CACHE_CONTROL = of("Cache-Control");

    /** Content-Disposition. */
    public static final HeaderName CONTENT_DISPOSITION = of("Content-Disposition");

    /** Content-Type. */
    public static final HeaderName CONTENT_TYPE = of("Content-Type");

    /** Cookie. */
    public static final HeaderName COOKIE = of("Cookie");

    /** ETag. */
    public static final HeaderName ETAG = of("ETag");

    /** Host. */
    public static final HeaderName HOST = of("Host");

    /** If-Modified-Since. */
    public static final HeaderName IF_MODIFIED_SINCE = of("If-Modified-Since");

    /** If-None-Match. */
    public static final HeaderName IF_NONE_MATCH = of("If-None-Match");

    /** Last-Modified. */
    public static final HeaderName LAST_MODIFIED = of("Last-Modified");

    /** Location. */
    public static final HeaderName LOCATION = of("Location");

    /** Origin. */
    public static final HeaderName ORIGIN = of("Origin");

    /** Referer. */
    public static final HeaderName REFERER = of("Referer");

    /** Retry-After. */
    public static final HeaderName RETRY_AFTER = of("Retry-After");

    /** Set-Cookie. */
    public static final HeaderName SET_COOKIE = of("Set-Cookie");

    /** User-Agent. */
    public static final HeaderName USER_AGENT = of("User-Agent");

    /** Vary. */
    public static final HeaderName VARY = of("Vary");

    /** WWW-Authenticate. */
    public static final HeaderName WWW_AUTHENTICATE = of("WWW-Authenticate");

    private final String name;
    private final String lowerCase;
    private final Encoded encoded;
    private final boolean servers;

    private HeaderName(String name) {
        this.name = name;
        this.lowerCase = name.toLowerCase(Locale.ROOT);
        this.encoded = Encoded.ascii(name + ": ");
        this.servers = SERVERS.contains(lowerCase);
    }

    /**
     * Returns the name {@code name}, to be sent with this spelling.
     *
     * @param name a token, for example {@code "X-Request-Id"}
     * @return the name, for any thread
     * @throws IllegalArgumentException unless it is a token of RFC 9110, section 5.6.2
     */
    public static HeaderName of(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        boolean token = bytes.length > 0;
        for (byte b : bytes) {
            token &= Ascii.isToken(b);
        }
        if (!token) {
            throw new IllegalArgumentException("not a field name: \"" + name + "\"");
        }
        return new HeaderName(name);
    }

    boolean matches(long from, long to) {
        return Ascii.equalsIgnoreCase(from, to, lowerCase);
    }

    /** The name, a colon and a space. */
    Encoded encoded() {
        return encoded;
    }

    /**
     * Checks that handlers may write it.
     *
     * @throws IllegalArgumentException where only the server does
     */
    void checkHandlers() {
        if (servers) {
            throw new IllegalArgumentException(name + " is written by the server");
        }
    }

    /** The name as it is sent. */
    @Override
    public String toString() {
        return name;
    }
}
