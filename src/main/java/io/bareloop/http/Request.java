package io.bareloop.http;

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
    /** Parameters that a route can have. */
    static final int PARAMETERS_MAX = 16;

    private static final MemorySegment SLASH = Arena.global().allocate(1).fill((byte) '/');
    private static final long QUESTION_MARKS = '?' * Swar.ONES;
    private static final int UNKNOWN = -2;
    private static final ByteView[] NO_VIEWS = {};
    private static final long[] NO_FIELDS = {};

    static final int HAS_HOST = 1;
    static final int CHUNKED = 2;
    static final int EXPECTS_CONTINUE = 4;
    static final int CLOSES = 8;
    static final int KEEPS_ALIVE = 16;

    /** A one for each of the offsets of a field. */
    private static final long OFFSETS = 0x0001_0001_0001_0001L;

    private final ByteView target = new ByteView();
    private final ByteView path = new ByteView();
    private final ByteView query = new ByteView();
    private final ByteView body = new ByteView();
    private final ByteView formValue = new ByteView();

    // Made when first asked for: most handlers look at few fields.
    private ByteView[] names = NO_VIEWS;
    private ByteView[] values = NO_VIEWS;
    private ByteView[] parameters = NO_VIEWS;

    /**
     * Four offsets a field, relative to base, of 16 bits each, for no head exceeds 64 KiB: name,
     * its end, value, its end, the first in the lowest bits.
     */
    private long[] fields;

    private MemorySegment in = MemorySegment.NULL;
    private int base;
    private long address;
    private int fieldCount;
    private int targetStart;
    private int targetEnd;
    private int pathStart;
    private int queryMark;
    private int bodyStart;
    private int bodyEnd;
    private String[] parameterNames;
    private final int[] parameterStarts = new int[PARAMETERS_MAX];
    private final int[] parameterEnds = new int[PARAMETERS_MAX];
    private Object attachment;
    private FormReader queryReader;

    /** Of the body, where a handler has asked for a parameter of it. */
    private Form form;

    private boolean formDecoded;
    private final int formParametersMax;

    /** The head it was parsed from, as long as it says what that head says; else null. */
    private LastHead head;

    // Where a router has led it: what it says stays the same for the same method and path.
    private Router router;
    private Handler routed;
    private String[] routedNames;

    // What the parser finds out about the framing, for HttpConnection.
    Method method = Method.GET;
    int minorVersion;
    long contentLength;

    /** Flags of what the fields say; one number, to be cleared, kept and set in one go. */
    private int framing;

    /**
     * Creates a request for {@link RequestParser#parse} to fill, with room for what is allowed.
     *
     * @param limits of the number of fields and of form parameters
     */
    public Request(Limits limits) {
        this(limits, new long[limits.fieldsMax()]);
    }

    /** As above, with the memory of a request that {@link #retire retired}. */
    Request(Limits limits, long[] memoryOfFields) {
        fields = memoryOfFields;
        formParametersMax = limits.formParametersMax();
    }

    /** {@return the method} */
    public Method method() {
        check();
        return method;
    }

    /** {@return the request target as it was sent, for example {@code /users/7?full=1}} */
    public ByteView target() {
        return target.set(bytes(), base + targetStart, targetEnd - targetStart);
    }

    /**
     * The path, as it was sent: percent-encoded, without the query. It starts with a slash, or is
     * {@code *} in {@code OPTIONS *}. Of an absolute target it is the part behind the authority.
     *
     * @return a view of it, one byte or more
     */
    public ByteView path() {
        int end = queryMark() >= 0 ? queryMark : targetEnd;
        if (end == pathStart) {
            // "http://host" and "http://host?query" ask for the root (RFC 9110, section 4.2.3).
            return path.set(SLASH, 0, 1);
        }
        return path.set(bytes(), base + pathStart, end - pathStart);
    }

    /** {@return the query, as it was sent, without the question mark; empty where there is none} */
    public ByteView query() {
        int from = queryMark() >= 0 ? queryMark + 1 : targetEnd;
        return query.set(bytes(), base + from, targetEnd - from);
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
        if (!formDecoded) {
            if (form == null) {
                form = new Form();
            }
            form.decode(all, base + bodyStart, base + bodyEnd, formParametersMax);
            formDecoded = true;
        }
        int index = form.find(all, base + bodyStart, name);
        if (index < 0) {
            return null;
        }
        return formValue.set(
                all, base + bodyStart + form.valueOffset(index), form.valueLength(index));
    }

    /**
     * The part of the path that the {@link Router} matched with {@code {name}} or {@code
     * {name...}}, as it was sent; null where the route has no such parameter.
     *
     * @param name as the route has it, without braces
     * @return a view of the part, valid as the request is; or null
     */
    public ByteView parameter(String name) {
        check();
        String[] known = parameterNames;
        if (known != null) {
            for (int i = 0; i < known.length; i++) {
                if (known[i].equals(name)) {
                    if (parameters.length == 0) {
                        parameters = new ByteView[PARAMETERS_MAX];
                    }
                    ByteView view = view(parameters, i);
                    int from = parameterStarts[i];
                    return view.set(bytes(), base + from, parameterEnds[i] - from);
                }
            }
        }
        return null;
    }

    /** {@return the minor version of HTTP/1: 0 or 1} */
    public int minorVersion() {
        check();
        return minorVersion;
    }

    /**
     * The value of the first field of that name without white space around it, or null.
     *
     * @param name of the field, in any case
     * @return a view of the value, valid as the request is; or null
     */
    public ByteView header(HeaderName name) {
        long start = address();
        for (int i = 0; i < fieldCount; i++) {
            long field = fields[i];
            if (name.matches(start + offset(field, 0), start + offset(field, 1))) {
                return headerValue(i);
            }
        }
        return null;
    }

    /** {@return the number of fields} */
    public int headerCount() {
        check();
        return fieldCount;
    }

    /**
     * The name of field {@code index}, spelled as it was sent.
     *
     * @param index of the field, in the order in which they were sent
     * @return a view of the name
     * @throws IndexOutOfBoundsException unless {@code 0 <= index < headerCount()}
     */
    public ByteView headerName(int index) {
        check();
        long field = fields[Objects.checkIndex(index, fieldCount)];
        int from = offset(field, 0);
        if (names.length == 0) {
            names = new ByteView[fields.length];
        }
        return view(names, index).set(bytes(), base + from, offset(field, 1) - from);
    }

    /**
     * The value of field {@code index}, without white space around it.
     *
     * @param index of the field, in the order in which they were sent
     * @return a view of the value
     * @throws IndexOutOfBoundsException unless {@code 0 <= index < headerCount()}
     */
    public ByteView headerValue(int index) {
        check();
        long field = fields[Objects.checkIndex(index, fieldCount)];
        int from = offset(field, 2);
        if (values.length == 0) {
            values = new ByteView[fields.length];
        }
        return view(values, index).set(bytes(), base + from, offset(field, 3) - from);
    }

    /**
     * {@return the body; empty where there is none, and in a {@link StreamHandler}, which gets
     * pieces}
     */
    public ByteView body() {
        return body.set(bytes(), base + bodyStart, bodyEnd - bodyStart);
    }

    /**
     * The length of the body in bytes as the client announced it; -1 where the body is chunked, 0
     * where there is none.
     *
     * @return the number of bytes, or -1
     */
    public long contentLength() {
        check();
        return says(CHUNKED) ? -1 : Math.max(contentLength, 0);
    }

    /**
     * Keeps {@code object} with this request, until the response has ended.
     *
     * @param object of the handler's, or null
     */
    public void attach(Object object) {
        check();
        attachment = object;
    }

    /** {@return what {@link #attach} was last called with for this request, or null} */
    public Object attachment() {
        check();
        return attachment;
    }

    // ---- what the parser, the router and the connection write

    /** It says nothing until it is parsed again. */
    void clear() {
        head = null;
        method = null;
    }

    /** {@code newBase} is where the request line starts: a native address, once checked. */
    void start(MemorySegment newIn, int newBase) {
        in = newIn;
        base = newBase;
        address = newIn.address() + newBase;
        fieldCount = 0;
        queryMark = UNKNOWN;
        bodyStart = 0;
        bodyEnd = 0;
        parameterNames = null;
        attachment = null;
        framing = 0;
        contentLength = -1;
        router = null;
    }

    LastHead head() {
        return head;
    }

    /** All that was found in {@code newHead} is here now; null where nobody remembers it. */
    void parsedFrom(LastHead newHead) {
        head = newHead;
    }

    /** The head it was parsed from has come again, at {@code newAddress}. */
    void repeat(MemorySegment newIn, int newBase, long newAddress) {
        in = newIn;
        base = newBase;
        address = newAddress;
        bodyStart = 0;
        bodyEnd = 0;
        parameterNames = null;
        attachment = null;
    }

    /** Where {@code asking} led this request, or one that said the same; null where it did not. */
    Handler routed(Router asking) {
        if (router != asking) {
            return null;
        }
        parameterNames = routedNames;
        return routed;
    }

    /** Notes where {@code led} has led the request: the parameters set last are of that route. */
    void routed(Router led, Handler to, String[] routeParameters) {
        router = led;
        routed = to;
        routedNames = routeParameters;
        parameterNames = routeParameters;
    }

    void target(long from, long path, long to) {
        targetStart = (int) (from - address);
        pathStart = (int) (path - address);
        targetEnd = (int) (to - address);
    }

    /** Notes a field; false where there is no room for it. */
    boolean addField(long name, long nameEnd, long value, long valueEnd) {
        if (fieldCount == fields.length) {
            return false;
        }
        long start = address;
        fields[fieldCount++] =
                (name - start)
                        | (nameEnd - start) << 16
                        | (value - start) << 32
                        | (valueEnd - start) << 48;
        return true;
    }

    /** Notes what a field says: one of the flags. */
    void note(int flag) {
        framing |= flag;
    }

    /** Whether a field says {@code flag}. */
    boolean says(int flag) {
        return (framing & flag) != 0;
    }

    /**
     * Takes over the fields of {@code last}, which are the same bytes, but from {@code from} on.
     *
     * @return false where there is no room for them
     */
    boolean takeFields(LastFields last, long from) {
        if (last.fieldCount > fields.length) {
            return false;
        }
        long shift = (from - address - last.start) * OFFSETS;
        for (int i = 0; i < last.fieldCount; i++) {
            fields[i] = last.fields[i] + shift;
        }
        fieldCount = last.fieldCount;
        framing = last.framing;
        contentLength = last.contentLength;
        return true;
    }

    /** Leaves a copy of the fields, which begin at {@code from}, with {@code last}. */
    void leaveFields(LastFields last, long from) {
        if (last.fields.length < fieldCount) {
            last.fields = new long[fields.length];
        }
        System.arraycopy(fields, 0, last.fields, 0, fieldCount);
        last.start = from - address;
        last.fieldCount = fieldCount;
        last.framing = framing;
        last.contentLength = contentLength;
    }

    private static int offset(long field, int index) {
        return (int) (field >>> (index * 16)) & 0xFFFF;
    }

    /** Notes parameter {@code index} of the route: a range of {@link #path}. */
    void setParameter(int index, int pathOffset, int length) {
        parameterStarts[index] = pathStart + pathOffset;
        parameterEnds[index] = pathStart + pathOffset + length;
    }

    /** Notes the body: a range of the same segment. */
    void body(int from, int to) {
        bodyStart = from - base;
        bodyEnd = to - base;
        formDecoded = false;
    }

    int bodyStart() {
        return base + bodyStart;
    }

    int bodyEnd() {
        return base + bodyEnd;
    }

    MemorySegment segment() {
        return in;
    }

    /** Where that ends, as an address. */
    long segmentEnd() {
        return address - base + in.byteSize();
    }

    /** Where the request begins in its segment. */
    int base() {
        return base;
    }

    /** The request has been copied: its first byte is now at {@code newBase} of {@code newIn}. */
    void move(MemorySegment newIn, int newBase) {
        in = newIn;
        base = newBase;
        address = newIn.address() + newBase;
    }

    /** Where the path begins, as an address; see {@link #pathEnd}. */
    long pathStart() {
        return address() + pathStart;
    }

    /** Where the path ends, as an address; equal to the start where the target has none. */
    long pathEnd() {
        return address() + (queryMark() >= 0 ? queryMark : targetEnd);
    }

    private long address() {
        bytes();
        return address;
    }

    /**
     * The end: every further use of the request throws, for its bytes are another's from now on. In
     * checked mode its views throw too.
     */
    void expire() {
        end();
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

    /** Expired for good. Leaves the largest part of its memory to the next one. */
    long[] retire() {
        long[] left = fields;
        fieldCount = 0;
        fields = NO_FIELDS;
        return left;
    }

    /** As {@link #expire}, where the views are as good as the next request's. */
    void end() {
        in = null;
        attachment = null;
    }

    private MemorySegment bytes() {
        check();
        return in;
    }

    private void check() {
        if (in == null) {
            throw new IllegalStateException(
                    "stale request: it is valid until the handler returns, or the response ends");
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

    private static ByteView view(ByteView[] views, int index) {
        ByteView view = views[index];
        if (view == null) {
            view = new ByteView();
            views[index] = view;
        }
        return view;
    }

    private int queryMark() {
        if (queryMark == UNKNOWN) {
            queryMark = -1;
            long end = address() + targetEnd;
            long mark = Swar.indexOf(QUESTION_MARKS, address() + pathStart, end);
            if (mark < end) {
                queryMark = (int) (mark - address());
            }
        }
        return queryMark;
    }
}
