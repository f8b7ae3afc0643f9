package io.bareloop.files;

import io.bareloop.http.Prepared;

/**
 * What came of looking for a path: an entry; a page that lists a directory; a refusal; or, with
 * none of these, a directory that was asked for without the slash behind it.
 */
record Outcome(Entry entry, Prepared listing, Refusal refusal) {
    static final Outcome DIRECTORY = new Outcome(null, null, null);

    static Outcome of(Entry entry) {
        return new Outcome(entry, null, null);
    }

    static Outcome of(Prepared listing) {
        return new Outcome(null, listing, null);
    }

    static Outcome of(Refusal refusal) {
        return new Outcome(null, null, refusal);
    }
}
