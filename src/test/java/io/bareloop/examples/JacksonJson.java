package io.bareloop.examples;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.bareloop.http.Json;
import java.io.IOException;

/** Jackson as {@link Json}; Gson and avaje-jsonb are as short, and shown there. For any thread. */
final class JacksonJson implements Json {
    static final Json JSON = new JacksonJson();

    private final ObjectMapper mapper =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    @Override
    public byte[] write(Object value) throws IOException {
        return mapper.writeValueAsBytes(value);
    }

    @Override
    public <T> T read(byte[] json, Class<T> type) throws IOException {
        return mapper.readValue(json, type);
    }
}
