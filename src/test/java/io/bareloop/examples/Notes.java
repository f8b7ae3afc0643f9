package io.bareloop.examples;

import static io.bareloop.examples.JacksonJson.JSON;
import static io.bareloop.http.Blocking.blocking;

import io.bareloop.http.HeaderName;
import io.bareloop.http.HttpException;
import io.bareloop.http.Reply;
import io.bareloop.http.Request;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.server.HttpServer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcConnectionPool;

/**
 * Notes in a database, as JSON. Handlers run on virtual threads, 64 at a time, for a database has
 * no more connections than that: they wait, the loop goes on.
 *
 * <pre>
 * curl -i -d '{"text":"buy milk"}' localhost:8080/notes
 * curl localhost:8080/notes/1
 * curl 'localhost:8080/notes?limit=10'
 * </pre>
 */
public final class Notes {
    record Text(String text) {}

    record Note(long id, String text) {}

    private final DataSource database;

    Notes(DataSource database) throws SQLException {
        this.database = database;
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "create table if not exists notes(id bigint auto_increment primary key,"
                            + " text varchar(1000) not null)");
        }
    }

    static HttpServer start(int port) throws Exception {
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:notes", "", "");
        pool.setMaxConnections(64);
        Notes notes = new Notes(pool);
        return HttpServer.builder()
                .listen("127.0.0.1", port)
                .handler(
                        Router.builder()
                                .get("/notes", blocking(64, notes::list))
                                .post("/notes", blocking(64, notes::add))
                                .get("/notes/{id}", blocking(64, notes::show))
                                .build())
                .drainOnShutdown(Duration.ofSeconds(10))
                .start();
    }

    public static void main(String[] args) throws Exception {
        try (HttpServer server = start(8080)) {
            server.awaitTermination();
        }
    }

    private Reply add(Request request) throws SQLException {
        Text note = request.body(JSON, Text.class);
        if (note.text() == null || note.text().isBlank()) {
            throw new HttpException(Status.UNPROCESSABLE_CONTENT, "a note needs a text");
        }
        try (Connection connection = database.getConnection();
                PreparedStatement insert =
                        connection.prepareStatement(
                                "insert into notes(text) values (?)",
                                Statement.RETURN_GENERATED_KEYS)) {
            insert.setString(1, note.text());
            insert.executeUpdate();
            try (ResultSet keys = insert.getGeneratedKeys()) {
                keys.next();
                return Reply.of(Status.CREATED)
                        .header(HeaderName.LOCATION, "/notes/" + keys.getLong(1));
            }
        }
    }

    private Reply show(Request request) throws SQLException {
        List<Note> found = select("where id = ?", request.longParameter("id"));
        if (found.isEmpty()) {
            throw new HttpException(Status.NOT_FOUND, "no such note");
        }
        return Reply.json(JSON, found.getFirst());
    }

    private Reply list(Request request) throws SQLException {
        return Reply.json(JSON, select("order by id limit ?", request.queryLong("limit", 100)));
    }

    private List<Note> select(String which, long value) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select =
                        connection.prepareStatement("select id, text from notes " + which)) {
            select.setLong(1, value);
            List<Note> notes = new ArrayList<>();
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    notes.add(new Note(rows.getLong(1), rows.getString(2)));
                }
            }
            return notes;
        }
    }
}
