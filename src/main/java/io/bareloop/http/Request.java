package io.bareloop.http;

import io.bareloop.wire.Checks;
import io.bareloop.wire.Head;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/**
 * A request as a handler sees it: offsets into the bytes that were received, and no copy of them.
 *
 * <p>Valid until the handler returns, or until the response has ended where that comes later, on
 * the loop's thread only; the object and its views are then used for another request. Each accessor
 * has one view, that the next call of the same accessor (for fields: with the same field) sets
 * anew. Nothing here allocates after the first use, except what says so.
 *
 * <p>A later use throws IllegalStateException, or finds the next request: nothing guards each call.
 * The system property {@code bareloop.checks=true} does, and then every late use of a request or of
 * one of its views throws.
 */
public final class Request {
    private static final MemorySegment SLASH = Arena.global().allocate(1).fill((byte) '/');
    private static final ByteView[] NO_VIEWS = {};

    private final Head head;
    private final int formParametersMax;

    private final ByteView target = new ByteView();
    private final ByteView path = new ByteView();
    private final ByteView query = new ByteView();
    private final ByteView body = new ByteView();
    private final ByteView formValue = new ByteView();

    // Made when first asked for: most handlers look at few fields.
    private ByteView[] names = NO_VIEWS;
    private ByteView[] values = NO_VIEWS;
    private ByteView[] parameters = NO_VIEWS;
    private FormReader queryReader;

    /** Of the body, where a handler has asked for a parameter of it. */
    private Form form;

    /**
     * For the server: a request is made by the connection that receives it.
     *
     * @param head what it is a view of
     * @param limits of the number of form parameters
     */
    @SuppressWarnings("exports") // so that only the server can call it
    public Request(Head head, Limits limits) {
        this.head = head;
        formParametersMax = limits.formParametersMax();
        head.onExpire(this::expire);
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

    /**
     * The value of the first parameter {@code name} of the query, decoded; null where there is
     * none. To see all parameters, read {@link #query} with a {@link FormReader}.
     *
     * @param name decoded, of ASCII characters
     * @return a view of the value, valid as the request is, until the next call; or null
     * @throws HttpException with 400 where an escape in the query is malformed
     */
    public ByteView queryValue(String name) {
        if (queryReader == null) {
            queryReader = new FormReader();
        }
        return find(queryReader, query(), name);
    }

    /**
     * The value of the first parameter {@code name} of a body of application/x-www-form-urlencoded,
     * decoded; null where there is none. Whether the body is a form is for the handler to know.
     *
     * <p>The first call decodes the whole form in place, so that it needs no memory beside the
     * request's: {@link #body} has its decoded bytes from then on, with gaps. To see all
     * parameters, read {@link #body} with a {@link FormReader} instead.
     *
     * @param name decoded, of ASCII characters
     * @return a view of the value, valid as the request is, until the next call; or null
     * @throws HttpException with 400 where an escape in the body is malformed, with 413 where it
     *     has more than {@link Limits#formParametersMax} parameters
     */
    public ByteView formValue(String name) {
        MemorySegment all = bytes();
        int start = head.bodyStart();
        if (head.isBodyNew()) {
            if (form == null) {
                form = new Form();
            }
            form.decode(all, start, head.bodyEnd(), formParametersMax);
            head.bodyKnown();
        }
        int index = form.find(all, start, name);
        if (index < 0) {
            return null;
        }
        return formValue.set(all, start + form.valueOffset(index), form.valueLength(index));
    }

    /**
     * The part of the path that the {@link Router} matched with {@code {name}} or {@code
     * {name...}}, as it was sent; null where the route has no such parameter.
     *
     * @param name as the route has it, without braces
     * @return a view of the part, valid as the request is; or null
     */
    public ByteView parameter(String name) {
        bytes();
        String[] known = head.parameterNames();
        if (known != null) {
            for (int i = 0; i < known.length; i++) {
                if (known[i].equals(name)) {
                    if (parameters.length == 0) {
                        parameters = new ByteView[Head.PARAMETERS_MAX];
                    }
                    return view(
                            existing(parameters, i), head.parameterStart(i), head.parameterEnd(i));
                }
            }
        }
        return null;
    }

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
     * {@return the body; empty where there is none, and in a {@link StreamHandler}, which gets
     * pieces}
     */
    public ByteView body() {
        return body.set(bytes(), head.bodyStart(), head.bodyEnd() - head.bodyStart());
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

    /**
     * Keeps {@code object} with this request, until the response has ended.
     *
     * @param object of the handler's, or null
     */
    public void attach(Object object) {
        bytes();
        head.attach(object);
    }

    /** {@return what {@link #attach} was last called with for this request, or null} */
    public Object attachment() {
        bytes();
        return head.attachment();
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

    private ByteView view(ByteView view, int from, int to) {
        return view.set(bytes(), head.base() + from, to - from);
    }

    private MemorySegment bytes() {
        MemorySegment bytes = head.segment();
        if (bytes == null) {
            throw new IllegalStateException(
                    "stale request: it is valid until the handler returns, or the response ends");
        }
        return bytes;
    }

    /** The end. In checked mode its views throw from now on. */
    private void expire() {
        if (form != null) {
            form.release();
        }
        if (Checks.ENABLED) {
            target.expire();
            path.expire();
            query.expire();
            body.expire();
            formValue.expire();
            if (queryReader != null) {
                queryReader.expire();
            }
            for (ByteView[] views : Arrays.asList(names, values, parameters)) {
                for (ByteView view : views) {
                    if (view != null) {
                        view.expire();
                    }
                }
            }
        }
    }

    private static ByteView find(FormReader reader, ByteView form, String name) {
        reader.start(form);
        while (reader.next()) {
            if (reader.name().contentEquals(name)) {
                return reader.value();
            }
        }
        return null;
    }

    private static ByteView existing(ByteView[] views, int index) {
        ByteView view = views[index];
        if (view == null) {
            view = new ByteView();
            views[index] = view;
        }
        return view;
    }
}
