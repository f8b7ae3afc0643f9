package io.bareloop.files;

import io.bareloop.http.ByteView;
import io.bareloop.http.HeaderName;
import io.bareloop.http.MediaType;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Status;

/** The answer to a request for a directory that lacks the slash at its end: 301. */
final class Redirect {
    private Redirect() {}

    /** Sends the client to {@code mount}, {@code path}, whose characters are bytes, and a slash. */
    static void send(String mount, String path, Request request, Response response) {
        String location = mount + RequestPath.encode(path) + "/";
        ByteView query = request.query();
        if (!query.isEmpty()) {
            location += "?" + visible(query);
        }
        response.status(Status.MOVED_PERMANENTLY)
                .header(HeaderName.LOCATION, location)
                .contentType(MediaType.TEXT)
                .body("301 Moved Permanently\n");
    }

    /** The query as it was sent; what is not visible ASCII is encoded. */
    private static String visible(ByteView query) {
        StringBuilder text = new StringBuilder(query.length());
        for (int i = 0; i < query.length(); i++) {
            int b = query.at(i) & 0xFF;
            if (b > ' ' && b < 0x7F) {
                text.append((char) b);
            } else {
                text.append(RequestPath.encode(String.valueOf((char) b)));
            }
        }
        return text.toString();
    }
}
