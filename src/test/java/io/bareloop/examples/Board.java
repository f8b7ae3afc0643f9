package io.bareloop.examples;

import static io.bareloop.examples.JacksonJson.JSON;

import io.bareloop.files.StaticFiles;
import io.bareloop.http.Blocking;
import io.bareloop.http.BlockingExchange;
import io.bareloop.http.ByteView;
import io.bareloop.http.EventStream;
import io.bareloop.http.Fields;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Response;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.server.AccessLog;
import io.bareloop.server.HttpServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A service as services are: JSON, a form, uploads of any size to disk, events, files, error pages,
 * CORS, an access log, and an end that cuts nothing off.
 *
 * <pre>
 * curl -d '{"text":"buy milk"}' localhost:8080/notes      curl -N localhost:8080/events
 * curl -d 'text=buy tea' localhost:8080/form              curl -T any.file localhost:8080/files
 * </pre>
 */
record Board(Path folder, List<Note> notes, Set<EventStream> readers) {
    record Note(String text) {
        static Note of(Request form) {
            ByteView text = form.formValue("text");
            return new Note(text == null ? "" : text.toString());
        }
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(Integer.parseInt(args[0]), Path.of(args[1]))) {
            System.out.println("serving " + server.origin());
            server.awaitTermination();
        }
    }

    static HttpServer start(int port, Path folder) throws Exception {
        Board board =
                new Board(folder, new CopyOnWriteArrayList<>(), ConcurrentHashMap.newKeySet());
        Path log = folder.resolveSibling("access.log");
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(board.routes())
                .fields(Fields.NONE.with(HeaderName.of("Access-Control-Allow-Origin"), "*"))
                .error(Status.NOT_FOUND, (request, response, error) -> response.body("lost?\n"))
                .accessLog(AccessLog.file(log, AccessLog.Format.COMBINED))
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    private Router routes() {
        return Router.builder()
                .get("/notes", (request, response) -> response.json(JSON, notes))
                .post(
                        "/notes",
                        (request, response) -> add(request.body(JSON, Note.class), response))
                .post("/form", (request, response) -> add(Note.of(request), response))
                .put("/files", Blocking.streaming(this::save))
                .any("/files/{path...}", StaticFiles.builder(folder).mount("/files").build())
                .get("/events", (request, response) -> listen(response))
                .build();
    }

    private void add(Note note, Response response) throws Exception {
        notes.add(note);
        readers.removeIf(EventStream::isGone);
        readers.forEach(reader -> reader.execute(() -> reader.send("note", note.text())));
        response.status(Status.CREATED).json(JSON, note);
    }

    /** On a virtual thread: the client is read from as fast as the disk writes. */
    private void save(Request request, BlockingExchange exchange) throws Exception {
        String name = UUID.randomUUID().toString();
        exchange.transferTo(folder.resolve(name));
        exchange.send(Reply.redirect(Status.SEE_OTHER, "/files/" + name));
    }

    private void listen(Response response) {
        readers.add(EventStream.open(response, Duration.ofSeconds(15)));
    }
}
