package io.bareloop.files;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.http.ByteView;
import io.bareloop.http.Fields;
import io.bareloop.http.MediaType;
import io.bareloop.http.Method;
import io.bareloop.http.Prepared;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * Answers a request with an entry: which coding, whether at all, and which bytes of it, in the
 * order of RFC 9110, section 13.2.2. One per loop thread, used for one request after another.
 */
final class Answer {
    private static final byte[] NO_BODY = {};
    private static final int NUMBERS_BYTES_MAX = 3 * 19 + 2 + 4;

    /** No page: no browser refuses every coding. */
    private static final Prepared NOT_ACCEPTABLE =
            Prepared.of(
                    Status.NOT_ACCEPTABLE,
                    Fields.NONE.with(MediaType.TEXT).with(Names.VARY, "Accept-Encoding"),
                    "406 Not Acceptable\n".getBytes(StandardCharsets.US_ASCII));

    private static final int NO_FIELD = -1;

    /** Bytes of the decoded path, while it is looked for. */
    final byte[] path = new byte[RequestPath.BYTES_MAX];

    private final String boundary;
    private final AcceptEncoding accept = new AcceptEncoding();
    private final ByteRanges ranges = new ByteRanges();
    private final MemorySegment partHead = Arena.ofAuto().allocate(1024);

    /** A list of those that were needed at the same time once, and are not now. */
    private Parts freeParts;

    // Where the fields are that decide: the first of each name.
    private int acceptEncoding;
    private int ifMatch;
    private int ifModifiedSince;
    private int ifNoneMatch;
    private int ifRange;
    private int ifUnmodifiedSince;
    private int range;

    Answer(String boundary) {
        this.boundary = boundary;
    }

    /**
     * Answers {@code request}, a GET or HEAD.
     *
     * @return false where the file has been closed meanwhile, for the cache has another version;
     *     then nothing was written
     */
    boolean write(Entry entry, Request request, Response response) {
        findFields(request);
        Variant variant = choose(entry, request);
        if (variant == null) {
            response.send(NOT_ACCEPTABLE);
            return true;
        }
        Status status = precondition(variant, request);
        if (status == Status.NOT_MODIFIED) {
            response.send(variant.notModified);
            return true;
        }
        if (status != Status.OK) {
            response.send(Refusal.PRECONDITION_FAILED.builtIn().choose(request));
            return true;
        }
        int count = ByteRanges.ALL;
        if (range != NO_FIELD && request.method() == Method.GET && rangeApplies(variant, request)) {
            count = ranges.parse(request.headerValue(range), variant.size);
        }
        if (count == ByteRanges.NOTHING) {
            writeUnsatisfiable(variant, response);
            return true;
        }
        if (variant.file == null) {
            writeSmall(variant, count, response);
            return true;
        }
        return writeLarge(variant, count, response);
    }

    // ---- what the request says

    private void findFields(Request request) {
        acceptEncoding = NO_FIELD;
        ifMatch = NO_FIELD;
        ifModifiedSince = NO_FIELD;
        ifNoneMatch = NO_FIELD;
        ifRange = NO_FIELD;
        ifUnmodifiedSince = NO_FIELD;
        range = NO_FIELD;
        // Backwards, so that the first one of a name is what stays.
        for (int i = request.headerCount() - 1; i >= 0; i--) {
            ByteView name = request.headerName(i);
            // Their lengths tell most of them apart.
            switch (name.length()) {
                case 5 -> range = is(name, "range") ? i : range;
                case 8 -> {
                    ifMatch = is(name, "if-match") ? i : ifMatch;
                    ifRange = is(name, "if-range") ? i : ifRange;
                }
                case 13 -> ifNoneMatch = is(name, "if-none-match") ? i : ifNoneMatch;
                case 15 -> acceptEncoding = is(name, "accept-encoding") ? i : acceptEncoding;
                case 17 -> ifModifiedSince = is(name, "if-modified-since") ? i : ifModifiedSince;
                case 19 ->
                        ifUnmodifiedSince = is(name, "if-unmodified-since") ? i : ifUnmodifiedSince;
                default -> {}
            }
        }
    }

    private static boolean is(ByteView name, String lowerCase) {
        return name.contentEqualsIgnoreCase(lowerCase);
    }

    private Variant choose(Entry entry, Request request) {
        if (acceptEncoding == NO_FIELD) {
            return entry.variant(IDENTITY);
        }
        accept.clear();
        // A list may stand in several fields (RFC 9110, section 5.3).
        for (int i = acceptEncoding; i < request.headerCount(); i++) {
            if (i == acceptEncoding || is(request.headerName(i), "accept-encoding")) {
                accept.add(request.headerValue(i));
            }
        }
        int best = accept.best(entry.available);
        return best < 0 ? null : entry.variant(best);
    }

    @SuppressWarnings("EnumOrdinal") // an index of an array that has one element for each
    private static final int IDENTITY = Coding.IDENTITY.ordinal();

    // ---- preconditions

    /** OK to go on; NOT_MODIFIED; or PRECONDITION_FAILED. */
    private Status precondition(Variant variant, Request request) {
        if (ifMatch != NO_FIELD) {
            if (!hasTag(request, ifMatch, "if-match", variant, false)) {
                return Status.PRECONDITION_FAILED;
            }
        } else if (ifUnmodifiedSince != NO_FIELD) {
            long date = date(request.headerValue(ifUnmodifiedSince), variant);
            if (date != HttpDate.NONE && variant.modifiedSecond > date) {
                return Status.PRECONDITION_FAILED;
            }
        }
        if (ifNoneMatch != NO_FIELD) {
            return hasTag(request, ifNoneMatch, "if-none-match", variant, true)
                    ? Status.NOT_MODIFIED
                    : Status.OK;
        }
        if (ifModifiedSince != NO_FIELD) {
            long date = date(request.headerValue(ifModifiedSince), variant);
            if (date != HttpDate.NONE && variant.modifiedSecond <= date) {
                return Status.NOT_MODIFIED;
            }
        }
        return Status.OK;
    }

    private static boolean hasTag(
            Request request, int first, String name, Variant variant, boolean weakly) {
        for (int i = first; i < request.headerCount(); i++) {
            if ((i == first || is(request.headerName(i), name))
                    && EntityTags.matches(request.headerValue(i), variant.tag, weakly)) {
                return true;
            }
        }
        return false;
    }

    /** What a field says; NONE where it is no date, or the file has none to compare it with. */
    private static long date(ByteView field, Variant variant) {
        if (variant.modified == null) {
            return HttpDate.NONE;
        }
        // What we have sent comes back as a rule.
        return field.contentEquals(variant.modified)
                ? variant.modifiedSecond
                : HttpDate.parse(field);
    }

    /** Whether If-Range, where there is one, lets the range count (RFC 9110, section 13.1.5). */
    private boolean rangeApplies(Variant variant, Request request) {
        if (ifRange == NO_FIELD) {
            return true;
        }
        ByteView field = request.headerValue(ifRange);
        if (!field.isEmpty() && (field.at(0) == '"' || field.at(0) == 'W')) {
            return EntityTags.matches(field, variant.tag, false);
        }
        return variant.dateIsStrong
                && variant.modified != null
                && field.contentEquals(variant.modified);
    }

    // ---- what is written

    private static void writeUnsatisfiable(Variant variant, Response response) {
        // The only answer that is put together as text: nobody asks for it a million times a
        // second.
        response.status(Status.RANGE_NOT_SATISFIABLE)
                .header(Names.CONTENT_RANGE, "bytes */" + variant.size)
                .contentType(MediaType.TEXT)
                .body(NO_BODY);
    }

    private void writeSmall(Variant variant, int count, Response response) {
        if (count == ByteRanges.ALL) {
            response.send(variant.whole);
            return;
        }
        MemorySegment bytes = variant.bytes;
        if (count == 1) {
            beginRange(variant, response);
            response.body(bytes, ranges.first(0), (int) (ranges.last(0) - ranges.first(0) + 1));
            return;
        }
        Variant.Multipart multipart = variant.multipart(boundary);
        beginParts(variant, multipart, response);
        for (int i = 0; i < count; i++) {
            long first = ranges.first(i);
            long last = ranges.last(i);
            writePartHead(multipart, first, last, variant.size, response);
            response.write(bytes, first, (int) (last - first + 1));
        }
        response.write(multipart.end(), 0, (int) multipart.end().byteSize());
        response.end();
    }

    private boolean writeLarge(Variant variant, int count, Response response) {
        OpenFile file = variant.file;
        if (!file.retain()) {
            return false;
        }
        boolean taken = false;
        try {
            if (count == ByteRanges.ALL) {
                response.fields(variant.fields).body(file, 0, variant.size);
            } else if (count == 1) {
                long first = ranges.first(0);
                beginRange(variant, response);
                response.body(file, first, ranges.last(0) - first + 1);
            } else {
                beginParts(variant, variant.multipart(boundary), response);
                takeParts().begin(variant, response);
            }
            taken = true;
        } finally {
            if (!taken) {
                file.release();
            }
        }
        return true;
    }

    private Parts takeParts() {
        Parts parts = freeParts;
        if (parts == null) {
            return new Parts();
        }
        freeParts = parts.nextFree;
        parts.nextFree = null;
        return parts;
    }

    private void beginRange(Variant variant, Response response) {
        response.status(Status.PARTIAL_CONTENT)
                .fields(variant.fields)
                .contentRange(ranges.first(0), ranges.last(0), variant.size);
    }

    private void beginParts(Variant variant, Variant.Multipart multipart, Response response) {
        long length = multipart.end().byteSize();
        for (int i = 0; i < ranges.count(); i++) {
            long first = ranges.first(i);
            long last = ranges.last(i);
            length += partHeadBytes(multipart, first, last, variant.size) + last - first + 1;
        }
        response.status(Status.PARTIAL_CONTENT).fields(multipart.fields()).stream(length);
    }

    private static long partHeadBytes(
            Variant.Multipart multipart, long first, long last, long size) {
        // Two signs between the numbers, and two line breaks.
        return multipart.partHead().byteSize()
                + digits(first)
                + 1
                + digits(last)
                + 1
                + digits(size)
                + 4;
    }

    private void writePartHead(
            Variant.Multipart multipart, long first, long last, long size, Response response) {
        MemorySegment front = multipart.partHead();
        int at = (int) front.byteSize();
        if (at + NUMBERS_BYTES_MAX > partHead.byteSize()) {
            throw new IllegalStateException("a Content-Type of more than 900 bytes");
        }
        MemorySegment.copy(front, 0, partHead, 0, at);
        at = putDecimal(first, at);
        partHead.set(JAVA_BYTE, at++, (byte) '-');
        at = putDecimal(last, at);
        partHead.set(JAVA_BYTE, at++, (byte) '/');
        at = putDecimal(size, at);
        for (int i = 0; i < 2; i++) {
            partHead.set(JAVA_BYTE, at++, (byte) '\r');
            partHead.set(JAVA_BYTE, at++, (byte) '\n');
        }
        response.write(partHead, 0, at);
    }

    private int putDecimal(long number, int from) {
        int end = from + digits(number);
        long left = number;
        for (int at = end - 1; at >= from; at--) {
            partHead.set(JAVA_BYTE, at, (byte) ('0' + left % 10));
            left /= 10;
        }
        return end;
    }

    private static int digits(long number) {
        int digits = 1;
        for (long left = number / 10; left > 0; left /= 10) {
            digits++;
        }
        return digits;
    }

    /** Several ranges of a large file: each goes out when the client has caught up. */
    private final class Parts implements Runnable {
        private final long[] first = new long[ByteRanges.RANGES_MAX];
        private final long[] last = new long[ByteRanges.RANGES_MAX];

        /** Made once: a method reference to a method of this object is an object too. */
        private final Runnable abort = this::release;

        /** Null while nobody uses these parts. */
        private Variant variant;

        private Response response;
        private int count;
        private int next;
        private Parts nextFree;

        /** Begins the answer; takes over the caller's use of the file, unless this throws. */
        void begin(Variant newVariant, Response newResponse) {
            variant = newVariant;
            response = newResponse;
            count = ranges.count();
            next = 0;
            for (int i = 0; i < count; i++) {
                first[i] = ranges.first(i);
                last[i] = ranges.last(i);
            }
            boolean begun = false;
            try {
                response.onWritable(this).onAbort(abort);
                run();
                begun = true;
            } finally {
                if (!begun && variant != null) {
                    giveBack();
                }
            }
        }

        @Override
        public void run() {
            Variant.Multipart multipart = variant.multipart(boundary);
            while (next < count && response.isWritable()) {
                writePart(multipart, first[next], last[next]);
                next++;
            }
            if (next == count && response.isWritable()) {
                response.write(multipart.end(), 0, (int) multipart.end().byteSize());
                response.end();
                release();
            }
        }

        private void writePart(Variant.Multipart multipart, long from, long to) {
            writePartHead(multipart, from, to, variant.size, response);
            // Cannot fail, for this has a use until the end.
            variant.file.retain();
            boolean taken = false;
            try {
                response.write(variant.file, from, to - from + 1);
                taken = true;
            } finally {
                if (!taken) {
                    variant.file.release();
                }
            }
        }

        private void release() {
            if (variant != null) {
                OpenFile file = variant.file;
                giveBack();
                file.release();
            }
        }

        private void giveBack() {
            variant = null;
            response = null;
            nextFree = freeParts;
            freeParts = this;
        }
    }
}
