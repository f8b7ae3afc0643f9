package io.bareloop.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;

/**
 * The head of one request as offsets into the bytes that were received, and what handlers have hung
 * on it. A protocol's parser fills it; {@code Request} is a view of it, and has no data of its own.
 * Used for one request after another, on the loop's thread.
 */
public final class Head {
    /** Parameters that a route can have. */
    public static final int PARAMETERS_MAX = 16;

    // The methods that are known, in the order of the enum Method.
    public static final int NO_METHOD = -1;
    public static final int GET = 0;
    public static final int HEAD = 1;
    public static final int POST = 2;
    public static final int PUT = 3;
    public static final int DELETE = 4;
    public static final int OPTIONS = 5;
    public static final int PATCH = 6;
    public static final int TRACE = 7;

    // What fields say: flags.
    public static final int HAS_HOST = 1;
    public static final int CHUNKED = 2;
    public static final int EXPECTS_CONTINUE = 4;
    public static final int CLOSES = 8;
    public static final int KEEPS_ALIVE = 16;

    private static final int UNKNOWN = -2;
    private static final long QUESTION_MARKS = '?' * Swar.ONES;
    private static final long[] NO_FIELDS = {};

    /** What {@link #standIn} shows: the path "/". Searched word by word, hence the zeros. */
    private static final MemorySegment NOTHING = Arena.global().allocate(Long.BYTES);

    static {
        NOTHING.set(ValueLayout.JAVA_BYTE, 0, (byte) '/');
    }

    /** A one for each of the offsets of a field. */
    private static final long OFFSETS = 0x0001_0001_0001_0001L;

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
    private boolean bodyNew;

    // Of the route: where each parameter stands.
    private String[] parameterNames;
    private final int[] parameterStarts = new int[PARAMETERS_MAX];
    private final int[] parameterEnds = new int[PARAMETERS_MAX];

    private Object attachment;

    // Where a router has led it: what it says stays the same for the same method and path.
    private Object router;
    private Object routed;
    private String[] routedNames;

    /** What it was parsed from, as long as it says what that says; else null. */
    private Object origin;

    /** One of the methods above; {@link #NO_METHOD} where it says nothing yet. */
    public int method;

    /** Of the version; 1 where the protocol has no such thing. */
    public int minorVersion;

    /** As the client has announced it, or -1. */
    public long contentLength;

    /** Flags of what the fields say; one number, to be cleared, kept and set in one go. */
    private int flags;

    /** Who knows where it comes from. */
    private Supplier<Peer> sender;

    /** What ends with it; see {@link #expire}. */
    private Runnable ending = () -> {};

    /** Creates a head with room for {@code fieldsMax} fields. */
    public Head(int fieldsMax) {
        this(new long[fieldsMax]);
    }

    /** As above, with the memory of a head that {@link #retire retired}. */
    public Head(long[] memoryOfFields) {
        fields = memoryOfFields;
    }

    // ---- what the parser writes

    /** It says nothing until it is parsed again. */
    public void clear() {
        origin = null;
        method = NO_METHOD;
    }

    /**
     * It could not be read: stands for a request of the same method without fields, for whoever
     * answers it and looks.
     */
    public void standIn() {
        start(NOTHING, 0);
        origin = null;
        method = method == NO_METHOD ? GET : method;
        target(address, address, address + 1);
    }

    /** Whether there was nothing to be read, or nothing that could be. */
    public boolean isStandIn() {
        return address == NOTHING.address();
    }

    /** {@code newBase} is where the request line starts: a native address, once checked. */
    public void start(MemorySegment newIn, int newBase) {
        in = newIn;
        base = newBase;
        address = newIn.address() + newBase;
        fieldCount = 0;
        queryMark = UNKNOWN;
        bodyStart = 0;
        bodyEnd = 0;
        parameterNames = null;
        attachment = null;
        flags = 0;
        contentLength = -1;
        router = null;
    }

    /** The bytes that it was parsed from have come again, at {@code newAddress}. */
    public void repeat(MemorySegment newIn, int newBase, long newAddress) {
        in = newIn;
        base = newBase;
        address = newAddress;
        bodyStart = 0;
        bodyEnd = 0;
        parameterNames = null;
        attachment = null;
    }

    /** Who remembers the bytes that it was parsed from; null where nobody does. */
    public Object origin() {
        return origin;
    }

    /** All that was found in what {@code newOrigin} remembers is here now. */
    public void parsedFrom(Object newOrigin) {
        origin = newOrigin;
    }

    public void target(long from, long path, long to) {
        targetStart = (int) (from - address);
        pathStart = (int) (path - address);
        targetEnd = (int) (to - address);
    }

    /** Notes a field; false where there is no room for it. */
    public boolean addField(long name, long nameEnd, long value, long valueEnd) {
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
    public void note(int flag) {
        flags |= flag;
    }

    /** Whether a field says {@code flag}. */
    public boolean says(int flag) {
        return (flags & flag) != 0;
    }

    /** Whether a body follows, or may: chunked, or of one byte or more. */
    public boolean hasBody() {
        return contentLength > 0 || says(CHUNKED);
    }

    /** Fields as they are kept for later: {@link #takeFields} and {@link #leaveFields}. */
    public static final class Found {
        private long[] fields = NO_FIELDS;
        private long start;
        private int fieldCount;
        private int flags;
        private long contentLength;

        public int fieldCount() {
            return fieldCount;
        }
    }

    /**
     * Takes over the fields of {@code found}, which are the same bytes, but from {@code from} on.
     *
     * @return false where there is no room for them
     */
    public boolean takeFields(Found found, long from) {
        if (found.fieldCount > fields.length) {
            return false;
        }
        long shift = (from - address - found.start) * OFFSETS;
        for (int i = 0; i < found.fieldCount; i++) {
            fields[i] = found.fields[i] + shift;
        }
        fieldCount = found.fieldCount;
        flags = found.flags;
        contentLength = found.contentLength;
        return true;
    }

    /** Leaves a copy of the fields, which begin at {@code from}, with {@code found}. */
    public void leaveFields(Found found, long from) {
        if (found.fields.length < fieldCount) {
            found.fields = new long[fields.length];
        }
        System.arraycopy(fields, 0, found.fields, 0, fieldCount);
        found.start = from - address;
        found.fieldCount = fieldCount;
        found.flags = flags;
        found.contentLength = contentLength;
    }

    // ---- what a view reads

    /** The bytes; null once the request is over. */
    public MemorySegment segment() {
        return in;
    }

    /** Where the request begins in its segment. */
    public int base() {
        return base;
    }

    /** As an address. */
    public long address() {
        return address;
    }

    /** Where the segment ends, as an address. */
    public long segmentEnd() {
        return address - base + in.byteSize();
    }

    public int fieldCount() {
        return fieldCount;
    }

    /** How many fields there is room for. */
    public int fieldsMax() {
        return fields.length;
    }

    /** Offset {@code which} of field {@code index}: name 0 to 1, value 2 to 3. */
    public int fieldOffset(int index, int which) {
        return (int) (fields[index] >>> (which * 16)) & 0xFFFF;
    }

    public int targetStart() {
        return targetStart;
    }

    public int targetEnd() {
        return targetEnd;
    }

    public int pathStart() {
        return pathStart;
    }

    /** Where the path ends; equal to its start where the target has none. */
    public int pathEnd() {
        int mark = queryMark();
        return mark >= 0 ? mark : targetEnd;
    }

    /** Where the question mark of the target stands; -1 where there is none. */
    public int queryMark() {
        if (queryMark == UNKNOWN) {
            queryMark = -1;
            long end = address + targetEnd;
            long mark = Swar.indexOf(QUESTION_MARKS, address + pathStart, end);
            if (mark < end) {
                queryMark = (int) (mark - address);
            }
        }
        return queryMark;
    }

    // ---- what the connection and the router write

    /** The request has been copied: its first byte is now at {@code newBase} of {@code newIn}. */
    public void move(MemorySegment newIn, int newBase) {
        in = newIn;
        base = newBase;
        address = newIn.address() + newBase;
    }

    /** Notes the body: a range of the same segment. */
    public void body(int from, int to) {
        bodyStart = from - base;
        bodyEnd = to - base;
        bodyNew = true;
    }

    /** Where the body begins, in the segment. */
    public int bodyStart() {
        return base + bodyStart;
    }

    public int bodyEnd() {
        return base + bodyEnd;
    }

    /** Whether the body is another one than {@link #bodyKnown} was called for. */
    public boolean isBodyNew() {
        return bodyNew;
    }

    public void bodyKnown() {
        bodyNew = false;
    }

    /** Where {@code asking} led this request, or one that said the same; null where it did not. */
    @SuppressWarnings("ReferenceEquality") // that very one, whatever it thinks that it equals
    public Object routed(Object asking) {
        if (router != asking) {
            return null;
        }
        parameterNames = routedNames;
        return routed;
    }

    /** Notes where {@code led} has led the request: the parameters set last are of that route. */
    public void routed(Object led, Object to, String[] routeParameters) {
        router = led;
        routed = to;
        routedNames = routeParameters;
        parameterNames = routeParameters;
    }

    /** Notes parameter {@code index} of the route: a range of the path. */
    public void parameter(int index, int pathOffset, int length) {
        parameterStarts[index] = pathStart + pathOffset;
        parameterEnds[index] = pathStart + pathOffset + length;
    }

    /** The names of the route's parameters; null where there is no route. */
    public String[] parameterNames() {
        return parameterNames;
    }

    public int parameterStart(int index) {
        return parameterStarts[index];
    }

    public int parameterEnd(int index) {
        return parameterEnds[index];
    }

    /** Has {@code newSender} asked for the peer that each request comes from. */
    public void sentBy(Supplier<Peer> newSender) {
        sender = newSender;
    }

    /** Where it comes from; for whoever may read the request at this time. */
    public Peer peer() {
        return sender.get();
    }

    public void attach(Object object) {
        attachment = object;
    }

    public Object attachment() {
        return attachment;
    }

    // ---- its end

    /** Has {@code action} run when the request expires. */
    public void onExpire(Runnable action) {
        ending = action;
    }

    /** The end: every further use of a view throws, for the bytes are another's from now on. */
    public void expire() {
        end();
        ending.run();
    }

    /** As {@link #expire}, where the views are as good as the next request's. */
    public void end() {
        in = null;
        attachment = null;
    }

    /** Expired for good. Leaves the largest part of its memory to the next one. */
    public long[] retire() {
        long[] left = fields;
        fieldCount = 0;
        fields = NO_FIELDS;
        return left;
    }
}
