/**
 * An HTTP/1.1 server and library for Linux, with nothing between it and the kernel.
 *
 * <p>Bareloop calls the kernel by Java's foreign functions: no JNI, no native library of its own,
 * no dependency beside the JDK. Each CPU has one thread, pinned to it, which runs one loop: it
 * waits for connections that are ready, receives, calls the handler, and sends. The loop's memory
 * is outside the heap; once the JVM has compiled the code, a request allocates nothing unless its
 * handler does.
 *
 * <h2>A whole service</h2>
 *
 * <pre>{@code
 * import static io.bareloop.http.Blocking.blocking;
 *
 * import io.bareloop.http.MediaType;
 * import io.bareloop.http.Prepared;
 * import io.bareloop.http.Reply;
 * import io.bareloop.http.Request;
 * import io.bareloop.http.Router;
 * import io.bareloop.server.HttpServer;
 * import java.io.IOException;
 * import java.time.Duration;
 *
 * public final class Service {
 *     private Service() {}
 *
 *     public static void main(String[] args) throws Exception {
 *         int port = args.length == 0 ? 8080 : Integer.parseInt(args[0]);
 *         try (HttpServer server = start(port)) {
 *             System.out.println("serving " + server.origin());
 *             server.awaitTermination();
 *         }
 *     }
 *
 *     static HttpServer start(int port) throws IOException {
 *         return HttpServer.builder()
 *                 .listen("127.0.0.1", port)
 *                 .handler(
 *                         Router.builder()
 *                                 // Encoded once, sent by one copy.
 *                                 .get("/hello", Prepared.text("Hello, World!\n"))
 *                                 // On the loop: it computes, and must not wait.
 *                                 .get(
 *                                         "/users/{id}",
 *                                         (request, response) ->
 *                                                 response.contentType(MediaType.TEXT)
 *                                                         .body(request.parameter("id")))
 *                                 // On a virtual thread: it may wait.
 *                                 .post("/report", blocking(Service::report))
 *                                 .build())
 *                 // SIGTERM and Ctrl-C: accept no more, finish what is in flight within 10 s.
 *                 .drainOnShutdown(Duration.ofSeconds(10))
 *                 .start();
 *     }
 *
 *     private static Reply report(Request request) throws InterruptedException {
 *         int bytes = request.body().length();
 *         Thread.sleep(500); // A database, a file, another service.
 *         return Reply.text("a report on " + bytes + " bytes\n");
 *     }
 * }
 * }</pre>
 *
 * <p>It takes {@code --enable-native-access=io.bareloop} to run this from the module path, {@code
 * --enable-native-access=ALL-UNNAMED} from the class path. Without the flag the JVM prints a
 * warning at the first system call, and later JDKs will refuse it:
 *
 * <pre>
 * java --enable-native-access=ALL-UNNAMED -cp bareloop.jar:service.jar Service
 * </pre>
 *
 * <p>After SIGTERM the exit status is 0, or 1 where something was cut off. On the module path that
 * takes {@code --add-modules jdk.unsupported}, too: without it the status is 143, as of every JVM
 * that a signal ends ({@link io.bareloop.server.HttpServer.Builder#drainOnShutdown}).
 *
 * <p>More examples are beside this one, in {@code src/test/java/io/bareloop/examples} of the
 * sources: a REST service, forms with files, a database, events, cookies, CORS, compression, and
 * {@code Board}, which has most of these in one file. The build compiles and tests all of them.
 *
 * <h2>Three rules of a handler</h2>
 *
 * <ol>
 *   <li><b>Do not block.</b> A handler runs on the loop, and all connections of the loop wait until
 *       it returns. What waits goes to a virtual thread by {@link io.bareloop.http.Blocking}; what
 *       is answered later is suspended ({@link io.bareloop.http.Response#suspend}).
 *   <li><b>Views end with the handler.</b> A {@link io.bareloop.http.Request} and the {@link
 *       io.bareloop.http.ByteView}s that it gives out are places in the loop's memory. They are
 *       valid until the handler returns, or until the response has ended where that is later. Copy
 *       what you keep: {@link io.bareloop.http.ByteView#toString}, {@link
 *       io.bareloop.http.ByteView#toByteArray}. While you develop, start the JVM with {@code
 *       -Dbareloop.checks=true}: every use that comes too late then throws.
 *   <li><b>Status, then fields, then body.</b> A {@link io.bareloop.http.Response} is written
 *       straight into the buffer that is sent. What is written cannot be changed; a call out of
 *       order throws IllegalStateException.
 * </ol>
 *
 * <h2>Where to start</h2>
 *
 * <ul>
 *   <li>{@link io.bareloop.server}: {@link io.bareloop.server.HttpServer} and its builder. Start
 *       here.
 *   <li>{@link io.bareloop.http}: what a handler sees. {@link io.bareloop.http.Handler} is the
 *       interface to implement, {@link io.bareloop.http.Router} chooses among several.
 *   <li>{@link io.bareloop.files}: {@link io.bareloop.files.StaticFiles}, a handler that serves a
 *       directory.
 *   <li>{@link io.bareloop.testkit}: for your tests: handlers driven without sockets, and a server
 *       that JUnit starts and ends.
 * </ul>
 *
 * <p>All other packages are the machinery. They are not exported, and change without notice.
 *
 * <h2>What a service needs</h2>
 *
 * <table class="striped">
 *   <caption>And where it is</caption>
 *   <thead>
 *     <tr><th scope="col">wanted</th><th scope="col">see</th></tr>
 *   </thead>
 *   <tbody>
 *     <tr><th scope="row">routes, groups of them</th>
 *       <td>{@link io.bareloop.http.Router.Builder}</td></tr>
 *     <tr><th scope="row">parameters, cookies, forms</th>
 *       <td>{@link io.bareloop.http.Request}; with files {@link
 *       io.bareloop.http.MultipartHandler}</td></tr>
 *     <tr><th scope="row">JSON</th><td>{@link io.bareloop.http.Json}</td></tr>
 *     <tr><th scope="row">login, CORS: before each handler</th>
 *       <td>{@link io.bareloop.http.Filter}</td></tr>
 *     <tr><th scope="row">fields of all responses</th>
 *       <td>{@link io.bareloop.server.HttpServer.Builder#fields
 *       HttpServer.Builder.fields}</td></tr>
 *     <tr><th scope="row">pages for errors</th>
 *       <td>{@link io.bareloop.http.HttpException}, {@link
 *       io.bareloop.server.HttpServer.Builder#error HttpServer.Builder.error}</td></tr>
 *     <tr><th scope="row">a database, a disk: work that waits</th>
 *       <td>{@link io.bareloop.http.Blocking#blocking(io.bareloop.http.BlockingHandler)}</td></tr>
 *     <tr><th scope="row">bodies of any size, as streams</th>
 *       <td>{@link
 *       io.bareloop.http.Blocking#streaming(io.bareloop.http.BlockingStreamHandler)}</td></tr>
 *     <tr><th scope="row">server-sent events</th>
 *       <td>{@link io.bareloop.http.EventStream}</td></tr>
 *     <tr><th scope="row">gzip</th>
 *       <td>{@link io.bareloop.server.HttpServer.Builder#compression
 *       HttpServer.Builder.compression}</td></tr>
 *     <tr><th scope="row">an access log</th>
 *       <td>{@link io.bareloop.server.HttpServer.Builder#accessLog
 *       HttpServer.Builder.accessLog}; metrics: {@link
 *       io.bareloop.server.HttpServer.Builder#onCompletion
 *       HttpServer.Builder.onCompletion}</td></tr>
 *     <tr><th scope="row">the client, behind a proxy</th>
 *       <td>{@link io.bareloop.http.Request#client}</td></tr>
 *     <tr><th scope="row">an end that cuts nothing off</th>
 *       <td>{@link io.bareloop.server.HttpServer.Builder#drainOnShutdown}</td></tr>
 *   </tbody>
 * </table>
 *
 * <h2>Lifetime and threads</h2>
 *
 * <ul>
 *   <li>A server runs from {@link io.bareloop.server.HttpServer.Builder#start} until {@link
 *       io.bareloop.server.HttpServer#drain}, {@link io.bareloop.server.HttpServer#close}, or a
 *       loop that failed. Its methods are for any thread. Its loops keep the JVM alive.
 *   <li>One handler serves all loops at the same time, so it must be safe for that; {@link
 *       io.bareloop.server.HttpServer.Builder#handlerPerLoop} gives each loop one of its own.
 *   <li>A response belongs to its loop. Other threads reach it by {@link
 *       io.bareloop.http.Suspended#resume} or {@link io.bareloop.http.EventStream#execute}.
 *   <li>What a handler throws is answered 500 and logged with its stack trace, and the server goes
 *       on. {@link io.bareloop.http.HttpException} answers with another status.
 *   <li>Builders are for one thread. {@link io.bareloop.http.Prepared}, {@link
 *       io.bareloop.http.Fields}, {@link io.bareloop.http.HeaderName}, {@link
 *       io.bareloop.http.MediaType}, {@link io.bareloop.http.Status}, {@link
 *       io.bareloop.http.Cookie}, {@link io.bareloop.http.Limits} and {@link
 *       io.bareloop.http.Timeouts} never change, and are for any thread.
 * </ul>
 *
 * <h2>Limits</h2>
 *
 * <ul>
 *   <li>Linux on x86_64 with glibc, JDK 22 or newer.
 *   <li>HTTP/1.1 and 1.0. There is no TLS, no HTTP/2 and no WebSocket: where you need them, put a
 *       proxy in front.
 *   <li>Whatever a client can ask for is bounded: {@link io.bareloop.http.Limits}, {@link
 *       io.bareloop.http.Timeouts}, {@link io.bareloop.server.HttpServer.Builder#connectionsMax
 *       HttpServer.Builder.connectionsMax}.
 *   <li>Memory outside the heap is bounded too: {@link io.bareloop.server.HttpServer#nativeMemory}
 *       says how much at most, {@link io.bareloop.server.HttpServer.Builder#pendingBytesMax
 *       HttpServer.Builder.pendingBytesMax} sets most of it.
 *   <li>Paths are matched as they are sent, without decoding of percent-escapes; their parameters
 *       are decoded after that.
 * </ul>
 */
module io.bareloop {
    exports io.bareloop.files;
    exports io.bareloop.http;
    exports io.bareloop.server;
    exports io.bareloop.testkit;

    // For the command line alone; an application that embeds the server never loads it.
    requires static info.picocli;

    // For one class of the test kit, which only tests load: they bring JUnit themselves.
    requires static org.junit.jupiter.api;
}
