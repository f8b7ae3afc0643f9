package io.bareloop.files;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.http.Response;
import io.bareloop.http.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Sends parts of a file with 206: one range, or several as multipart/byteranges (RFC 9110, sections
 * 15.3.7 and 14.6). One per loop thread, used for one request after another.
 */
final class Parts {
    private static final int NUMBERS_BYTES_MAX = 3 * 19 + 2 + 4;

    private final String boundary;
    private final MemorySegment head = Arena.ofAuto().allocate(1024);

    /** A list of those that were needed at the same time once, and are not now. */
    private LargeParts free;

    Parts(String boundary) {
        this.boundary = boundary;
    }

    /** Sends {@code ranges}, one or more, of a small file. */
    void sendSmall(Variant variant, ByteRanges ranges, Response response) {
        MemorySegment bytes = variant.bytes;
        if (ranges.count() == 1) {
            beginOne(variant, ranges, response);
            response.body(bytes, ranges.first(0), (int) (ranges.last(0) - ranges.first(0) + 1));
            return;
        }
        Variant.Multipart multipart = variant.multipart(boundary);
        begin(variant, multipart, ranges, response);
        for (int i = 0; i < ranges.count(); i++) {
            long first = ranges.first(i);
            long last = ranges.last(i);
            writeHead(multipart, first, last, variant.size, response);
            response.write(bytes, first, (int) (last - first + 1));
        }
        response.write(multipart.end(), 0, (int) multipart.end().byteSize());
        response.end();
    }

    /**
     * Sends {@code ranges}, one or more, of a large file; takes over the caller's use of the file,
     * unless this throws.
     */
    void sendLarge(Variant variant, ByteRanges ranges, Response response) {
        if (ranges.count() == 1) {
            long first = ranges.first(0);
            beginOne(variant, ranges, response);
            response.body(variant.file.body(), first, ranges.last(0) - first + 1);
        } else {
            begin(variant, variant.multipart(boundary), ranges, response);
            take().send(variant, ranges, response);
        }
    }

    private LargeParts take() {
        LargeParts parts = free;
        if (parts == null) {
            return new LargeParts();
        }
        free = parts.nextFree;
        parts.nextFree = null;
        return parts;
    }

    private static void beginOne(Variant variant, ByteRanges ranges, Response response) {
        response.status(Status.PARTIAL_CONTENT)
                .fields(variant.fields)
                .contentRange(ranges.first(0), ranges.last(0), variant.size);
    }

    private static void begin(
            Variant variant, Variant.Multipart multipart, ByteRanges ranges, Response response) {
        long length = multipart.end().byteSize();
        for (int i = 0; i < ranges.count(); i++) {
            long first = ranges.first(i);
            long last = ranges.last(i);
            length += headBytes(multipart, first, last, variant.size) + last - first + 1;
        }
        response.status(Status.PARTIAL_CONTENT).fields(multipart.fields()).stream(length);
    }

    private static long headBytes(Variant.Multipart multipart, long first, long last, long size) {
        // Two signs between the numbers, and two line breaks.
        return multipart.partHead().byteSize()
                + digits(first)
                + 1
                + digits(last)
                + 1
                + digits(size)
                + 4;
    }

    private void writeHead(
            Variant.Multipart multipart, long first, long last, long size, Response response) {
        MemorySegment front = multipart.partHead();
        int at = (int) front.byteSize();
        if (at + NUMBERS_BYTES_MAX > head.byteSize()) {
            throw new IllegalStateException("a Content-Type of more than 900 bytes");
        }
        MemorySegment.copy(front, 0, head, 0, at);
        at = putDecimal(first, at);
        head.set(JAVA_BYTE, at++, (byte) '-');
        at = putDecimal(last, at);
        head.set(JAVA_BYTE, at++, (byte) '/');
        at = putDecimal(size, at);
        for (int i = 0; i < 2; i++) {
            head.set(JAVA_BYTE, at++, (byte) '\r');
            head.set(JAVA_BYTE, at++, (byte) '\n');
        }
        response.write(head, 0, at);
    }

    private int putDecimal(long number, int from) {
        int end = from + digits(number);
        long left = number;
        for (int at = end - 1; at >= from; at--) {
            head.set(JAVA_BYTE, at, (byte) ('0' + left % 10));
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
    private final class LargeParts implements Runnable {
        private final long[] first = new long[ByteRanges.RANGES_MAX];
        private final long[] last = new long[ByteRanges.RANGES_MAX];

        /** Made once: a method reference to a method of this object is an object too. */
        private final Runnable abort = this::release;

        /** Null while nobody uses these parts. */
        private Variant variant;

        private Response response;
        private int count;
        private int next;
        private LargeParts nextFree;

        /** Begins the answer; takes over the caller's use of the file, unless this throws. */
        void send(Variant newVariant, ByteRanges ranges, Response newResponse) {
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
            writeHead(multipart, from, to, variant.size, response);
            // Cannot fail, for this has a use until the end.
            variant.file.retain();
            boolean taken = false;
            try {
                response.write(variant.file.body(), from, to - from + 1);
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
            nextFree = free;
            free = this;
        }
    }
}
