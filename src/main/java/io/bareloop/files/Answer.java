package io.bareloop.files;

import io.bareloop.http.ByteView;
import io.bareloop.http.ErrorPage;
import io.bareloop.http.Fields;
import io.bareloop.http.HttpException;
import io.bareloop.http.Method;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;
import io.bareloop.wire.AcceptEncoding;

/**
 * Answers a request with an entry: which coding, whether at all, and which bytes of it, in the
 * order of RFC 9110, section 13.2.2. One per loop thread, used for one request after another.
 */
final class Answer {
    private static final ErrorPage NOT_ACCEPTABLE =
            ErrorPage.of(
                    Status.NOT_ACCEPTABLE, Fields.NONE.with(Names.VARY, "Accept-Encoding"), null);

    private static final int NO_FIELD = -1;

    /** Bytes of the decoded path, while it is looked for. */
    final byte[] path = new byte[RequestPath.BYTES_MAX];

    private final Conditions conditions = new Conditions();
    private final AcceptEncoding accept = new AcceptEncoding(Coding.tokens());
    private final ByteRanges ranges = new ByteRanges();
    private final Parts parts;

    // Where the fields are: the first of each name.
    private int acceptEncoding;
    private int range;

    Answer(String boundary) {
        parts = new Parts(boundary);
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
            throw NOT_ACCEPTABLE.exception();
        }
        Status status = conditions.evaluate(variant, request);
        if (status.equals(Status.NOT_MODIFIED)) {
            response.send(variant.notModified);
            return true;
        }
        if (!status.equals(Status.OK)) {
            throw Refusal.PRECONDITION_FAILED.builtIn().exception();
        }
        int count = ByteRanges.ALL;
        if (range != NO_FIELD
                && request.method() == Method.GET
                && conditions.allowRange(variant, request)) {
            count = ranges.parse(request.headerValue(range), variant.size);
        }
        if (count == ByteRanges.NOTHING) {
            throw unsatisfiable(variant, response);
        }
        if (variant.file != null) {
            return writeLarge(variant, count, response);
        }
        if (count == ByteRanges.ALL) {
            response.send(variant.whole);
        } else {
            parts.sendSmall(variant, ranges, response);
        }
        return true;
    }

    // ---- what the request says

    private void findFields(Request request) {
        acceptEncoding = NO_FIELD;
        range = NO_FIELD;
        conditions.clear();
        // Backwards, so that the first one of a name is what stays.
        for (int i = request.headerCount() - 1; i >= 0; i--) {
            ByteView name = request.headerName(i);
            // Their lengths tell most of them apart.
            switch (name.length()) {
                case 5 -> range = is(name, "range") ? i : range;
                case 15 -> acceptEncoding = is(name, "accept-encoding") ? i : acceptEncoding;
                case 8, 13, 17, 19 -> conditions.note(name, i);
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
                add(request.headerValue(i));
            }
        }
        int best = accept.best(entry.available);
        return best < 0 ? null : entry.variant(best);
    }

    private void add(ByteView field) {
        for (int i = 0; i < field.length(); i++) {
            accept.add(field.at(i));
        }
        accept.endOfField();
    }

    @SuppressWarnings("EnumOrdinal") // an index of an array that has one element for each
    private static final int IDENTITY = Coding.IDENTITY.ordinal();

    // ---- what is written

    private static HttpException unsatisfiable(Variant variant, Response response) {
        // The only answer that is put together as text: nobody asks for it a million times a
        // second.
        response.always(Names.CONTENT_RANGE, "bytes */" + variant.size);
        return HttpException.of(Status.RANGE_NOT_SATISFIABLE);
    }

    private boolean writeLarge(Variant variant, int count, Response response) {
        OpenFile file = variant.file;
        if (!file.retain()) {
            return false;
        }
        boolean taken = false;
        try {
            if (count == ByteRanges.ALL) {
                response.fields(variant.fields).body(file.body(), 0, variant.size);
            } else {
                parts.sendLarge(variant, ranges, response);
            }
            taken = true;
        } finally {
            if (!taken) {
                file.release();
            }
        }
        return true;
    }
}
