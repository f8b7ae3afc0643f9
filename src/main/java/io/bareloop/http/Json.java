package io.bareloop.http;

/**
 * Writes values as JSON and reads them, by a library of the application's choice: {@link
 * Response#json(Json, Object)}, {@link Reply#json(Json, Object)}, {@link Request#body(Json,
 * Class)}. An implementation is made once, and called by all loops and threads at the same time.
 *
 * <p>By Jackson, whose {@code ObjectMapper} is safe for that:
 *
 * <pre>{@code
 * record Jackson(ObjectMapper mapper) implements Json {
 *     public byte[] write(Object value) throws Exception {
 *         return mapper.writeValueAsBytes(value);
 *     }
 *
 *     public <T> T read(byte[] json, Class<T> type) throws Exception {
 *         return mapper.readValue(json, type);
 *     }
 * }
 * }</pre>
 *
 * <p>By Gson:
 *
 * <pre>{@code
 * record OfGson(Gson gson) implements Json {
 *     public byte[] write(Object value) {
 *         return gson.toJson(value).getBytes(StandardCharsets.UTF_8);
 *     }
 *
 *     public <T> T read(byte[] json, Class<T> type) {
 *         return gson.fromJson(new String(json, StandardCharsets.UTF_8), type);
 *     }
 * }
 * }</pre>
 *
 * <p>By avaje-jsonb:
 *
 * <pre>{@code
 * record Avaje(Jsonb jsonb) implements Json {
 *     public byte[] write(Object value) {
 *         return jsonb.toJsonBytes(value);
 *     }
 *
 *     public <T> T read(byte[] json, Class<T> type) {
 *         return jsonb.type(type).fromJson(json);
 *     }
 * }
 * }</pre>
 *
 * <p>On the loop it must not take long: what reads or writes megabytes belongs into a {@link
 * BlockingHandler}.
 */
public interface Json {
    /**
     * Returns {@code value} as JSON.
     *
     * @param value whatever a handler wants to send; may be null
     * @return JSON in UTF-8, which nobody changes any more
     * @throws Exception where it cannot be written: a failure of the handler, answered 500 and
     *     logged
     */
    byte[] write(Object value) throws Exception;

    /**
     * Reads a value of {@code type}.
     *
     * @param json a copy of what the client has sent, which may be anything, and empty
     * @param type of the value
     * @param <T> of the value
     * @return the value; null is answered 400
     * @throws HttpException to answer with that
     * @throws Exception anything else is taken for the client's mistake, and answered 400 without
     *     its message: that may repeat what was sent, and the names of classes
     */
    <T> T read(byte[] json, Class<T> type) throws Exception;
}
