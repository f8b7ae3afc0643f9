package io.bareloop.http;

/**
 * Another way than by words to parse field lines. The one there is, VectorLines, is found by its
 * name: it is compiled behind all others, and loaded only where the module that it needs is.
 */
abstract class FieldLines {
    private static final String BY_VECTORS = "io.bareloop.http.VectorLines";

    /** Makes those that use vectors. */
    static FieldLines byVectors() {
        try {
            return Class.forName(BY_VECTORS)
                    .asSubclass(FieldLines.class)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(BY_VECTORS, e);
        }
    }

    /** Whether this CPU has what makes it faster than words. */
    abstract boolean pays();

    /**
     * Parses lines from {@code from} on.
     *
     * @return where the first line begins that begins with CR, or that words have to parse; or
     *     {@link RequestParser#NEED_MORE}, or a negated status
     */
    abstract long parse(long from, long end, long words, Request request);
}
