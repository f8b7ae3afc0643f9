package io.bareloop.http;

import io.bareloop.wire.Checks;
import io.bareloop.wire.Head;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * What the head of a {@link Request} says: method, target, fields, and what can be read out of
 * them. Apart from the rest of it for want of room in one file; users see one class.
 */
abstract sealed class RequestHead permits Request {
    private static final MemorySegment SLASH = Arena.global().allocate(1).fill((byte) '/');
    private static final ByteView[] NO_VIEWS = {};

    final Head head;

    private final ByteView target = new ByteView();
    private final ByteView path = new ByteView();
    private final ByteView query = new ByteView();
    private final ByteView cookie = new ByteView();

    // Made when first asked for: most handlers look at few fields.
    private ByteView[] names = NO_VIEWS;
    private ByteView[] values = NO_VIEWS;
    private PathParameters parameters;
    private FormReader queryReader;

    RequestHead(Head head) {
        this.head = head;
    }

    /** {@return the method} */
    public Method method() {
        bytes();
        return Method.of(head.method);
    }

    /** {@return the request target as it was sent, for example {@code /users/7?full=1}} */
    public ByteView target() {
        return view(target, head.targetStart(), head.targetEnd());
    }

    /**
     * The path, as it was sent: percent-encoded, without the query. It starts with a slash, or is
     * {@code *} in {@code OPTIONS *}. Of an absolute target it is the part behind the authority.
     *
     * @return a view of it, one byte or more
     */
    public ByteView path() {
        int start = head.pathStart();
        int end = pathEnd();
        if (end == start) {
            // "http://host" and "http://host?query" ask for the root (RFC 9110, section 4.2.3).
            return path.set(SLASH, 0, 1);
        }
        return view(path, start, end);
    }

    /** {@return the query, as it was sent, without the question mark; empty where there is none} */
    public ByteView query() {
        bytes();
        int mark = head.queryMark();
        return view(query, mark >= 0 ? mark + 1 : head.targetEnd(), head.targetEnd());
    }

    // ---- parameters of the query

    /**
     * The value of the first parameter {@code name} of the query, decoded; null where there is
     * none, empty where it has no value.
     *
     * <p>Names and values are decoded as RFC 3986 has it: percent-escapes only. A plus is a plus.
     * Browsers send forms by GET with pluses for spaces: read the {@link #query()} of such a one
     * with a {@code new FormReader()}. To see all parameters, read it with {@link
     * FormReader#forQuery}.
     *
     * @param name decoded, of ASCII characters
     * @return a view of the value, valid as the request is, until the next call; or null
     * @throws HttpException with 400 where an escape in the query is malformed
     */
    public ByteView queryValue(String name) {
        if (queryReader == null) {
            queryReader = FormReader.forQuery();
        }
        queryReader.start(query());
        while (queryReader.next()) {
            if (queryReader.name().contentEquals(name)) {
                return queryReader.value();
            }
        }
        return null;
    }

    /**
     * As {@link #queryValue}, where the request makes no sense without that parameter.
     *
     * @param name decoded, of ASCII characters
     * @return a view of the value, valid as the request is, until the next call; may be empty
     * @throws HttpException with 400 where there is none, or an escape in the query is malformed
     */
    public ByteView requiredQueryValue(String name) {
        ByteView value = queryValue(name);
        if (value == null) {
            throw new HttpException(
                    Status.BAD_REQUEST, "the query has no parameter \"" + name + "\"");
        }
        return value;
    }

    /**
     * The first parameter {@code name} of the query as a number: decimal digits, behind a minus
     * sign where it is negative.
     *
     * @param name decoded, of ASCII characters
     * @return the number
     * @throws HttpException with 400 where there is none, it is not such a number or does not fit
     *     an int, or an escape in the query is malformed
     */
    public int queryInt(String name) {
        return Decimal.parseInt(requiredQueryValue(name), name);
    }

    /**
     * As {@link #queryInt(String)}, with a number for queries that do not have it. One that has
     * another value, or an empty one, is refused all the same.
     *
     * @param name decoded, of ASCII characters
     * @param fallback where there is no such parameter
     * @return the number
     * @throws HttpException with 400 where it is not such a number or does not fit an int, or an
     *     escape in the query is malformed
     */
    public int queryInt(String name, int fallback) {
        ByteView value = queryValue(name);
        return value == null ? fallback : Decimal.parseInt(value, name);
    }

    /**
     * As {@link #queryInt(String)}, as a long.
     *
     * @param name decoded, of ASCII characters
     * @return the number
     * @throws HttpException with 400 where there is none, it is not such a number or does not fit a
     *     long, or an escape in the query is malformed
     */
    public long queryLong(String name) {
        return Decimal.parseLong(requiredQueryValue(name), name);
    }

    /**
     * As {@link #queryInt(String, int)}, as a long.
     *
     * @param name decoded, of ASCII characters
     * @param fallback where there is no such parameter
     * @return the number
     * @throws HttpException with 400 where it is not such a number or does not fit a long, or an
     *     escape in the query is malformed
     */
    public long queryLong(String name, long fallback) {
        ByteView value = queryValue(name);
        return value == null ? fallback : Decimal.parseLong(value, name);
    }

    // ---- parameters of the route

    /**
     * The part of the path that the {@link Router} matched with {@code {name}} or {@code
     * {name...}}, decoded.
     *
     * <p>It is decoded as RFC 3986 has it: percent-escapes only, a plus is a plus. The router
     * matches before that, so what comes out may have any byte in it, slashes and line breaks too:
     * {@code a%2Fb} is one segment, and {@code a/b} here. Check it before it becomes a name of a
     * file. {@link #rawParameter} has it as it was sent.
     *
     * @param name as the route has it, without braces
     * @return a view of the part, valid as the request is
     * @throws HttpException with 400 where an escape in it is malformed
     * @throws IllegalArgumentException where the route has no such parameter
     */
    public ByteView parameter(String name) {
        return parameters().decoded(name, bytes());
    }

    /**
     * As {@link #parameter}, as it was sent: percent-encoded.
     *
     * @param name as the route has it, without braces
     * @return a view of the part, valid as the request is
     * @throws IllegalArgumentException where the route has no such parameter
     */
    public ByteView rawParameter(String name) {
        return parameters().raw(name, bytes());
    }

    /**
     * A parameter of the route as a number: decimal digits, behind a minus sign where it is
     * negative.
     *
     * @param name as the route has it, without braces
     * @return the number
     * @throws HttpException with 400 where it is not such a number or does not fit an int
     * @throws IllegalArgumentException where the route has no such parameter
     */
    public int intParameter(String name) {
        return Decimal.parseInt(parameter(name), name);
    }

    /**
     * As {@link #intParameter}, as a long.
     *
     * @param name as the route has it, without braces
     * @return the number
     * @throws HttpException with 400 where it is not such a number or does not fit a long
     * @throws IllegalArgumentException where the route has no such parameter
     */
    public long longParameter(String name) {
        return Decimal.parseLong(parameter(name), name);
    }

    private PathParameters parameters() {
        if (parameters == null) {
            parameters = new PathParameters(head);
        }
        return parameters;
    }

    // ---- fields

    /** {@return the minor version of HTTP/1: 0 or 1} */
    public int minorVersion() {
        bytes();
        return head.minorVersion;
    }

    /**
     * The value of the first field of that name without white space around it, or null.
     *
     * @param name of the field, in any case
     * @return a view of the value, valid as the request is; or null
     */
    public ByteView header(HeaderName name) {
        bytes();
        long start = head.address();
        for (int i = 0; i < head.fieldCount(); i++) {
            if (name.matches(start + head.fieldOffset(i, 0), start + head.fieldOffset(i, 1))) {
                return headerValue(i);
            }
        }
        return null;
    }

    /** {@return the number of fields} */
    public int headerCount() {
        bytes();
        return head.fieldCount();
    }

    /**
     * The name of field {@code index}, spelled as it was sent.
     *
     * @param index of the field, in the order in which they were sent
     * @return a view of the name
     * @throws IndexOutOfBoundsException unless {@code 0 <= index < headerCount()}
     */
    public ByteView headerName(int index) {
        bytes();
        Objects.checkIndex(index, head.fieldCount());
        if (names.length == 0) {
            names = new ByteView[head.fieldsMax()];
        }
        return view(existing(names, index), head.fieldOffset(index, 0), head.fieldOffset(index, 1));
    }

    /**
     * The value of field {@code index}, without white space around it.
     *
     * @param index of the field, in the order in which they were sent
     * @return a view of the value
     * @throws IndexOutOfBoundsException unless {@code 0 <= index < headerCount()}
     */
    public ByteView headerValue(int index) {
        bytes();
        Objects.checkIndex(index, head.fieldCount());
        if (values.length == 0) {
            values = new ByteView[head.fieldsMax()];
        }
        return view(
                existing(values, index), head.fieldOffset(index, 2), head.fieldOffset(index, 3));
    }

    /**
     * The value of the first cookie {@code name}, of however many fields {@code Cookie} there are;
     * null where there is none.
     *
     * <p>Pairs are separated by semicolons, and by nothing else. Quotes around a value are no part
     * of it; nothing in it is decoded. A pair is passed over where it has no equals sign, its name
     * is not a token, or its value has a quote anywhere else, or a tab. Whatever else browsers keep
     * in values, such as commas, spaces, and bytes beyond ASCII, is left as it is (RFC 6265bis).
     *
     * @param name of the cookie: ASCII characters, in the same case
     * @return a view of the value, valid as the request is, until the next call; or null
     */
    public ByteView cookie(String name) {
        MemorySegment in = bytes();
        long start = head.address();
        for (int i = 0; i < head.fieldCount(); i++) {
            if (HeaderName.COOKIE.matches(
                            start + head.fieldOffset(i, 0), start + head.fieldOffset(i, 1))
                    && CookiePairs.find(
                            in,
                            head.base() + head.fieldOffset(i, 2),
                            head.base() + head.fieldOffset(i, 3),
                            name,
                            cookie)) {
                return cookie;
            }
        }
        return null;
    }

    /**
     * The length of the body in bytes as the client announced it; -1 where the body is chunked, 0
     * where there is none.
     *
     * @return the number of bytes, or -1
     */
    public long contentLength() {
        bytes();
        return head.says(Head.CHUNKED) ? -1 : Math.max(head.contentLength, 0);
    }

    // ---- for the router and others of this package

    Head head() {
        return head;
    }

    /** Where the path begins, as an address; see {@link #pathEndAddress}. */
    long pathStartAddress() {
        bytes();
        return head.address() + head.pathStart();
    }

    /** Where the path ends, as an address; equal to the start where the target has none. */
    long pathEndAddress() {
        return head.address() + pathEnd();
    }

    private int pathEnd() {
        bytes();
        return head.pathEnd();
    }

    final ByteView view(ByteView view, int from, int to) {
        return view.set(bytes(), head.base() + from, to - from);
    }

    final MemorySegment bytes() {
        MemorySegment bytes = head.segment();
        if (bytes == null) {
            throw new IllegalStateException(
                    "stale request: it is valid until the handler returns, or the response ends");
        }
        return bytes;
    }

    /** In checked mode the views of the head throw from now on. */
    final void expireViews() {
        if (Checks.ENABLED) {
            target.expire();
            path.expire();
            query.expire();
            cookie.expire();
            if (queryReader != null) {
                queryReader.expire();
            }
            if (parameters != null) {
                parameters.expire();
            }
            expire(names);
            expire(values);
        }
    }

    static void expire(ByteView[] views) {
        for (ByteView view : views) {
            if (view != null) {
                view.expire();
            }
        }
    }

    static ByteView existing(ByteView[] views, int index) {
        ByteView view = views[index];
        if (view == null) {
            view = new ByteView();
            views[index] = view;
        }
        return view;
    }
}
