package io.bareloop.files;

import io.bareloop.http.Prepared;

/**
 * What came of looking for a path: an entry; an answer that is complete; or, with neither, a
 * directory that was asked for without the slash behind it.
 */
record Outcome(Entry entry, Prepared answer) {
    static final Outcome DIRECTORY = new Outcome(null, null);

    static Outcome of(Entry entry) {
        return new Outcome(entry, null);
    }

    static Outcome of(Prepared answer) {
        return new Outcome(null, answer);
    }
}
