package io.bareloop.http;

import io.bareloop.wire.ErrorLine;
import java.nio.charset.StandardCharsets;

/**
 * An answer with an error status, ready to be sent: a page to who prefers text/html in Accept, as
 * browsers do, application/problem+json (RFC 9457) to who prefers JSON, and a line of text to all
 * others.
 *
 * <p>A handler by itself: it answers as a handler does that throws {@link #exception}. Immutable,
 * for any loop; nothing is allocated when it is sent.
 */
public final class ErrorPage implements Handler {
    private static final String STYLE =
            """
            main { max-width: 36rem; margin: 12vh auto 0; }
            .code { display: block; color: var(--soft); font-size: 1.125rem; letter-spacing: 1px; }
            h1 { font-size: 2rem; line-height: 1.2; margin-bottom: 1.25rem; }
            ul { list-style: none; margin: 1em 0; padding: 0; border-top: 1px solid var(--line); }
            li {
              display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem;
              padding: .625rem 0; border-bottom: 1px solid var(--line);
            }
            li .soft { font-size: .875rem; line-height: 1.5rem; }
            """;

    private static final byte[] NO_BODY = {};
    private static final MediaType PROBLEM = MediaType.of("application/problem+json");

    private final Prepared text;
    private final Prepared html;
    private final Prepared problem;
    private final HttpException exception;

    private ErrorPage(Status status, Fields fields, String detail, String more) {
        Fields both = Fields.NONE.with(HeaderName.VARY, "Accept");
        text = Prepared.of(status, both.with(MediaType.TEXT), utf8(line(status, detail)));
        html = Prepared.of(status, both.with(MediaType.HTML), utf8(page(status, more)));
        problem = Prepared.of(status, both.with(PROBLEM), utf8(problem(status, detail)));
        exception = new HttpException(status, detail, fields, this);
    }

    /**
     * Status and what it means.
     *
     * @param status from 400 up
     * @return the answer
     */
    public static ErrorPage of(Status status) {
        return of(status, Fields.NONE, null);
    }

    /**
     * A 405, with the field Allow.
     *
     * @param methods those that are allowed, as in Allow: {@code "GET, HEAD"}
     * @return the answer
     */
    public static ErrorPage notAllowed(String methods) {
        return of(
                Status.METHOD_NOT_ALLOWED,
                Fields.NONE.with(HeaderName.ALLOW, methods),
                methods,
                "<p class=\"soft\">Allowed: " + HtmlPage.escape(methods) + ".</p>\n");
    }

    /**
     * Status, what it means, and {@code detail}.
     *
     * @param status from 400 up
     * @param fields of the response; Content-Type and Vary are added
     * @param detail goes behind the status, and on the page into a paragraph of its own; null for
     *     none
     * @return the answer
     */
    public static ErrorPage of(Status status, Fields fields, String detail) {
        return new ErrorPage(status, fields, detail, paragraph(detail));
    }

    /**
     * As above, with another text on the page than in the line.
     *
     * @param status from 400 up
     * @param fields of the response; Content-Type and Vary are added
     * @param detail goes behind the status in the line of text; null for none
     * @param html what follows on the page, as HTML; see {@link HtmlPage#escape}
     * @return the answer
     */
    public static ErrorPage of(Status status, Fields fields, String detail, String html) {
        return new ErrorPage(status, fields, detail, html);
    }

    /** Answers with what {@link #of} would make; nothing of it is kept. */
    static void write(Status status, String detail, Request request, Response response) {
        response.status(status);
        if (status.isBodiless()) {
            response.body(NO_BODY);
            return;
        }
        response.header(HeaderName.VARY, "Accept");
        switch (Accept.choose(request)) {
            case HTML -> {
                response.contentType(MediaType.HTML);
                response.body(page(status, paragraph(detail)));
            }
            case PROBLEM -> response.contentType(PROBLEM).body(problem(status, detail));
            case TEXT -> response.contentType(MediaType.TEXT).body(line(status, detail));
        }
    }

    private static String line(Status status, String detail) {
        return ErrorLine.of(status.code(), status.reason(), detail);
    }

    private static String page(Status status, String more) {
        return HtmlPage.of(
                status.toString(),
                STYLE,
                "<main>\n<h1><span class=\"code\">"
                        + status.code()
                        + "</span> "
                        + HtmlPage.escape(status.reason())
                        + "</h1>\n<p>"
                        + HtmlPage.escape(meaning(status))
                        + "</p>\n"
                        + more
                        + "</main>\n");
    }

    /** RFC 9457: of no type but that of its status. */
    private static String problem(Status status, String detail) {
        return "{\"title\":"
                + JsonText.quote(status.reason())
                + ",\"status\":"
                + status.code()
                + (detail == null ? "" : ",\"detail\":" + JsonText.quote(detail))
                + "}\n";
    }

    private static String paragraph(String detail) {
        return detail == null || detail.isEmpty()
                ? ""
                : "<p class=\"soft\">" + sentence(detail) + "</p>\n";
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String sentence(String detail) {
        return HtmlPage.escape(
                Character.toUpperCase(detail.charAt(0))
                        + detail.substring(1)
                        + (detail.endsWith(".") ? "" : "."));
    }

    /** For whoever has only opened a link. */
    private static String meaning(Status status) {
        return switch (status.code()) {
            case 400 -> "The server cannot make sense of this address.";
            case 401 -> "The server has to know who you are first.";
            case 403 -> "You are not allowed to see this.";
            case 404 -> "There is nothing at this address.";
            case 405 -> "This cannot be done with what is at this address.";
            case 410 -> "What was at this address is no longer there.";
            case 412 -> "This is no longer as the request expects it.";
            case 429 -> "These were too many requests. Try again later.";
            case 500 -> "The server has failed. Try again later.";
            case 503 -> "The server cannot answer now. Try again soon.";
            default ->
                    status.code() < 500
                            ? "The server does not answer this request."
                            : "The server could not answer this request.";
        };
    }

    /**
     * Chooses between page, line of text and problem+json, by Accept (RFC 9110, 12.5.1). Fields
     * beside those of the body are not in it.
     */
    Prepared choose(Request request) {
        return switch (Accept.choose(request)) {
            case HTML -> html;
            case PROBLEM -> problem;
            case TEXT -> text;
        };
    }

    /**
     * {@return what is thrown to answer with this, or with what the server has for its status: the
     * same object each time}
     */
    public HttpException exception() {
        return exception;
    }

    /** Throws {@link #exception}. */
    @Override
    public void handle(Request request, Response response) {
        throw exception;
    }

    /** None: there is no need to wait for a body. */
    @Override
    public Intake intake() {
        return Intake.NONE;
    }
}
