package io.bareloop.files;

import io.bareloop.http.ByteView;
import io.bareloop.http.Request;
import io.bareloop.http.Status;

/**
 * The conditions of a request (RFC 9110, section 13): where their fields are, and what they say of
 * a variant. One per loop thread, used for one request after another.
 */
final class Conditions {
    private static final int NO_FIELD = -1;

    // Where the fields are: the first of each name.
    private int ifMatch;
    private int ifModifiedSince;
    private int ifNoneMatch;
    private int ifRange;
    private int ifUnmodifiedSince;

    /** Forgets the request before. */
    void clear() {
        ifMatch = NO_FIELD;
        ifModifiedSince = NO_FIELD;
        ifNoneMatch = NO_FIELD;
        ifRange = NO_FIELD;
        ifUnmodifiedSince = NO_FIELD;
    }

    /**
     * Notes that the request has a field {@code name} at {@code index}. To be called from the last
     * field to the first, so that the first one of a name is what stays.
     */
    void note(ByteView name, int index) {
        // Their lengths tell most of them apart.
        switch (name.length()) {
            case 8 -> {
                ifMatch = name.contentEqualsIgnoreCase("if-match") ? index : ifMatch;
                ifRange = name.contentEqualsIgnoreCase("if-range") ? index : ifRange;
            }
            case 13 ->
                    ifNoneMatch =
                            name.contentEqualsIgnoreCase("if-none-match") ? index : ifNoneMatch;
            case 17 ->
                    ifModifiedSince =
                            name.contentEqualsIgnoreCase("if-modified-since")
                                    ? index
                                    : ifModifiedSince;
            case 19 ->
                    ifUnmodifiedSince =
                            name.contentEqualsIgnoreCase("if-unmodified-since")
                                    ? index
                                    : ifUnmodifiedSince;
            default -> {}
        }
    }

    /** What they say of {@code variant}: OK to go on, NOT_MODIFIED or PRECONDITION_FAILED. */
    Status evaluate(Variant variant, Request request) {
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
            if ((i == first || request.headerName(i).contentEqualsIgnoreCase(name))
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
    boolean allowRange(Variant variant, Request request) {
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
}
