package io.bareloop.http;

import io.bareloop.wire.Ascii;
import io.bareloop.wire.Encoded;
import java.time.Duration;
import java.util.Locale;

/**
 * A cookie for clients to keep: a field {@code Set-Cookie} (RFC 6265bis), checked and encoded once.
 * Immutable, for any thread; sending the same one again allocates nothing.
 *
 * <pre>{@code
 * Cookie session =
 *         Cookie.builder("__Host-session", id)
 *                 .path("/").secure().httpOnly().sameSite(Cookie.SameSite.LAX)
 *                 .maxAge(Duration.ofDays(1))
 *                 .build();
 * response.cookie(session).body("welcome");
 * }</pre>
 *
 * <p>What clients send back is read by {@link Request#cookie Request.cookie}.
 */
public final class Cookie {
    /** Which requests that other sites cause have the cookie. */
    public enum SameSite {
        /** None of them. */
        STRICT("Strict"),
        /** Those by which a user comes here, as by a link. */
        LAX("Lax"),
        /** All of them; requires Secure. */
        NONE("None");

        private final String text;

        SameSite(String text) {
            this.text = text;
        }
    }

    /** Browsers ignore a cookie with more in its name and value. */
    private static final int PAIR_BYTES_MAX = 4096;

    /** Browsers ignore an attribute with more. */
    private static final int ATTRIBUTE_BYTES_MAX = 1024;

    private final String value;
    private final Encoded line;

    private Cookie(String value) {
        this.value = value;
        this.line = Encoded.ascii(HeaderName.SET_COOKIE + ": " + value + "\r\n");
    }

    /**
     * Begins a cookie that lasts as long as the browser runs, unless {@link Builder#maxAge} says
     * otherwise. Nothing is encoded: what the value must not have has to be encoded by the caller,
     * for example in Base64.
     *
     * @param name a token of RFC 9110. {@code __Secure-} in front of it requires Secure; {@code
     *     __Host-} requires Secure and the path /, and forbids a domain
     * @param value of visible ASCII without quotes, commas, semicolons and backslashes; may be
     *     empty, and may be in quotes as a whole
     * @return a builder
     * @throws IllegalArgumentException where name or value has other characters, or both have more
     *     than 4096
     */
    public static Builder builder(String name, String value) {
        return new Builder(name, value);
    }

    /**
     * Begins a cookie that makes the client forget another one, of the same name, path and domain:
     * so these have to be the same, and what a prefix of the name requires has to be there too.
     *
     * @param name of the cookie to forget
     * @return a builder
     * @throws IllegalArgumentException where the name is not a token
     */
    public static Builder expire(String name) {
        return new Builder(name, "").maxAge(Duration.ZERO);
    }

    /** The value of the field, as it is sent. */
    @Override
    public String toString() {
        return value;
    }

    Encoded line() {
        return line;
    }

    /** Puts a cookie together; for one thread. */
    public static final class Builder {
        private final String name;
        private final String value;
        private String path;
        private String domain;
        private long maxAgeSeconds = -1;
        private boolean secure;
        private boolean httpOnly;
        private boolean partitioned;
        private SameSite sameSite;

        private Builder(String name, String value) {
            checkName(name);
            checkValue(name, value);
            if (name.length() + value.length() > PAIR_BYTES_MAX) {
                throw new IllegalArgumentException(
                        "a cookie of "
                                + (name.length() + value.length())
                                + " bytes in name and value; browsers keep "
                                + PAIR_BYTES_MAX
                                + " at the most");
            }
            this.name = name;
            this.value = value;
        }

        private static void checkName(String name) {
            boolean token = !name.isEmpty();
            for (int i = 0; i < name.length(); i++) {
                token &= name.charAt(i) < 0x80 && Ascii.isToken((byte) name.charAt(i));
            }
            if (!token) {
                throw new IllegalArgumentException(
                        "a cookie's name is a token: letters, digits and !#$%&'*+-.^_`|~");
            }
        }

        /** cookie-value of RFC 6265bis, section 4.1.1. */
        private static void checkValue(String name, String value) {
            boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
            int end = quoted ? value.length() - 1 : value.length();
            for (int i = quoted ? 1 : 0; i < end; i++) {
                char c = value.charAt(i);
                if (c <= ' ' || c >= 0x7F || "\",;\\".indexOf(c) >= 0) {
                    throw new IllegalArgumentException(
                            String.format(
                                    Locale.ROOT,
                                    "character U+%04X at index %d of the cookie \"%s\" cannot be"
                                            + " sent: encode the value, for example in Base64",
                                    (int) c,
                                    i,
                                    name));
                }
            }
        }

        /**
         * Has the client send the cookie to that path and below it; without this it is where the
         * request went, up to the last slash.
         *
         * @param newPath begins with a slash; visible ASCII and spaces, no semicolon
         * @return this builder
         * @throws IllegalArgumentException where it has anything else, or more than 1024 characters
         */
        public Builder path(String newPath) {
            boolean valid = newPath.startsWith("/");
            for (int i = 0; i < newPath.length(); i++) {
                char c = newPath.charAt(i);
                valid &= c >= ' ' && c < 0x7F && c != ';';
            }
            checkAttribute(
                    "path",
                    newPath,
                    valid,
                    "it begins with a slash, and has ASCII without"
                            + " semicolons: encode the rest by percent-escapes");
            path = newPath;
            return this;
        }

        /**
         * Has the client send the cookie to that host and all below it; without this, to the very
         * host that it came from.
         *
         * @param newDomain a host name of ASCII letters, digits, hyphens and dots; no dot in front
         * @return this builder
         * @throws IllegalArgumentException where it is anything else, or has more than 1024
         *     characters
         */
        public Builder domain(String newDomain) {
            boolean valid = !newDomain.isEmpty() && !newDomain.startsWith(".");
            for (int i = 0; i < newDomain.length(); i++) {
                char c = newDomain.charAt(i);
                boolean letter = c < 0x80 && Character.isLetterOrDigit(c);
                valid &= letter || c == '-' || c == '.';
            }
            checkAttribute(
                    "domain",
                    newDomain,
                    valid,
                    "it has letters, digits, hyphens and dots, and no dot in front");
            domain = newDomain;
            return this;
        }

        private static void checkAttribute(String what, String text, boolean valid, String rule) {
            if (!valid || text.length() > ATTRIBUTE_BYTES_MAX) {
                throw new IllegalArgumentException(
                        "not a cookie's "
                                + what
                                + ": "
                                + rule
                                + "; "
                                + ATTRIBUTE_BYTES_MAX
                                + " characters at the most");
            }
        }

        /**
         * Has the client forget the cookie after that time; browsers make 400 days of more.
         *
         * @param age one second or more, of which the fraction is cut off; or zero, for at once
         * @return this builder
         * @throws IllegalArgumentException where it is less
         */
        public Builder maxAge(Duration age) {
            if (age.isNegative() || (!age.isZero() && age.toSeconds() == 0)) {
                throw new IllegalArgumentException(
                        "a cookie's age of " + age + "; it is zero, or one second or more");
            }
            maxAgeSeconds = age.toSeconds();
            return this;
        }

        /**
         * Has the client send the cookie by TLS alone. A server behind a proxy that ends TLS says
         * this too.
         *
         * @return this builder
         */
        public Builder secure() {
            secure = true;
            return this;
        }

        /**
         * Hides the cookie from scripts.
         *
         * @return this builder
         */
        public Builder httpOnly() {
            httpOnly = true;
            return this;
        }

        /**
         * Says which requests that other sites cause have the cookie; without this most browsers
         * take Lax.
         *
         * @param which of them; NONE requires {@link #secure}
         * @return this builder
         */
        public Builder sameSite(SameSite which) {
            sameSite = which;
            return this;
        }

        /**
         * Has the client keep the cookie for each site apart in which this one is embedded (CHIPS);
         * requires {@link #secure}.
         *
         * @return this builder
         */
        public Builder partitioned() {
            partitioned = true;
            return this;
        }

        /**
         * Checks what belongs together, and encodes the cookie.
         *
         * @return the cookie
         * @throws IllegalArgumentException where an attribute, or the prefix of the name, requires
         *     something that is not there
         */
        public Cookie build() {
            require(secure || !partitioned, "Partitioned requires secure()");
            require(secure || sameSite != SameSite.NONE, "SameSite=None requires secure()");
            // Browsers compare the prefixes without regard to case.
            String lowerCase = name.toLowerCase(Locale.ROOT);
            require(secure || !lowerCase.startsWith("__secure-"), "__Secure- requires secure()");
            if (lowerCase.startsWith("__host-")) {
                require(
                        secure && domain == null && "/".equals(path),
                        "__Host- requires secure() and path(\"/\"), and no domain()");
            }
            return new Cookie(encoded());
        }

        private void require(boolean kept, String rule) {
            if (!kept) {
                throw new IllegalArgumentException("the cookie \"" + name + "\": " + rule);
            }
        }

        private String encoded() {
            StringBuilder text = new StringBuilder(name).append('=').append(value);
            if (path != null) {
                text.append("; Path=").append(path);
            }
            if (domain != null) {
                text.append("; Domain=").append(domain);
            }
            if (maxAgeSeconds >= 0) {
                text.append("; Max-Age=").append(maxAgeSeconds);
            }
            if (secure) {
                text.append("; Secure");
            }
            if (httpOnly) {
                text.append("; HttpOnly");
            }
            if (sameSite != null) {
                text.append("; SameSite=").append(sameSite.text);
            }
            if (partitioned) {
                text.append("; Partitioned");
            }
            return text.toString();
        }
    }
}
