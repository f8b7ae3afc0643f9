package io.bareloop.http;

/**
 * Told by a {@link MultipartReader} what it finds in a body of multipart/form-data, in the order in
 * which it stands there.
 *
 * <pre>
 *   (field | begin piece* end)* complete
 * </pre>
 *
 * <p>All calls are made by the thread that feeds the reader: in a {@link MultipartHandler}, the
 * loop's. Whatever is thrown ends the reading; {@link HttpException} says with which status.
 */
public interface MultipartListener {
    /**
     * A field of the form, whole.
     *
     * @param part its head; {@link Part#filename} is null
     * @param value its bytes as UTF-8; malformed ones are U+FFFD
     * @throws Exception to end the reading
     */
    void field(Part part, String value) throws Exception;

    /**
     * A file begins. A form that was sent without choosing a file has one with an empty name, and
     * no piece.
     *
     * @param part its head
     * @throws Exception to end the reading
     */
    void begin(Part part) throws Exception;

    /**
     * The next bytes of the file that began last, at least one.
     *
     * @param part as {@link #begin} had it
     * @param piece valid until this returns; as long as has arrived, not as the file has lines
     * @throws Exception to end the reading
     */
    void piece(Part part, ByteView piece) throws Exception;

    /**
     * The file is complete.
     *
     * @param part as {@link #begin} had it
     * @throws Exception to end the reading
     */
    void end(Part part) throws Exception;

    /**
     * The body is complete, and was well-formed to its end.
     *
     * @throws Exception to end the reading
     */
    default void complete() throws Exception {}
}
