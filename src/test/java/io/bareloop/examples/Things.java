package io.bareloop.examples;

import io.bareloop.http.MediaType;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentHashMap;

/** What {@link Cors} is about: its handlers know nothing of origins, nor of errors as such. */
final class Things {
    private static final Map<Integer, String> THINGS = new ConcurrentHashMap<>(Map.of(7, "a kite"));

    private Things() {}

    static void show(Request request, Response response) {
        String thing = THINGS.get(request.intParameter("id"));
        if (thing == null) {
            throw new NoSuchElementException("there is no such thing");
        }
        response.contentType(MediaType.TEXT).body(thing + "\n");
    }

    static void change(Request request, Response response) {
        THINGS.put(request.intParameter("id"), request.body().toString());
        response.contentType(MediaType.TEXT).body("changed\n");
    }
}
