package io.bareloop.http1;

import io.bareloop.http.ByteView;
import io.bareloop.http.Method;
import io.bareloop.rig.Bytes;
import io.bareloop.rig.ParsedRequest;
import io.bareloop.wire.Head;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What a parser made of some bytes: a head with all that is in it, or why there is none. */
final class HeadOutcome {
    /** The number of bytes of the head, NEED_MORE, or a negated status. */
    int result;

    // Defaults everywhere unless the result is positive.
    Method method = Method.GET;
    String target = "/";
    String path = "/";
    String query = "";
    int minorVersion = 1;
    List<String> fields = new ArrayList<>();
    boolean hasHost = true;
    boolean chunked;
    boolean expectsContinue;
    boolean closes;
    boolean keepsAlive;
    long contentLength = -1;

    /** Nothing but a result: NEED_MORE or a status. */
    static HeadOutcome refused(int status) {
        HeadOutcome outcome = new HeadOutcome();
        outcome.result = status;
        return outcome;
    }

    /** A head, yet to be described: until then GET / HTTP/1.1 with a Host. */
    static HeadOutcome head() {
        return new HeadOutcome();
    }

    /** Parses with the parser under test. */
    static HeadOutcome parse(
            RequestParser parser, MemorySegment in, int from, int to, ParsedRequest request) {
        int result = parser.parse(in, from, to, request.head);
        if (result <= 0) {
            return refused(result);
        }
        HeadOutcome outcome = new HeadOutcome();
        outcome.result = result - from;
        outcome.method = request.view.method();
        outcome.target = latin1(request.view.target());
        outcome.path = latin1(request.view.path());
        outcome.query = latin1(request.view.query());
        outcome.minorVersion = request.view.minorVersion();
        for (int i = 0; i < request.view.headerCount(); i++) {
            outcome.field(latin1(request.view.headerName(i)), latin1(request.view.headerValue(i)));
        }
        outcome.hasHost = request.head.says(Head.HAS_HOST);
        outcome.chunked = request.head.says(Head.CHUNKED);
        outcome.expectsContinue = request.head.says(Head.EXPECTS_CONTINUE);
        outcome.closes = request.head.says(Head.CLOSES);
        outcome.keepsAlive = request.head.says(Head.KEEPS_ALIVE);
        outcome.contentLength = request.head.contentLength;
        return outcome;
    }

    private static String latin1(ByteView view) {
        return Bytes.toString(view.toByteArray());
    }

    HeadOutcome result(int newResult) {
        result = newResult;
        return this;
    }

    HeadOutcome method(Method newMethod) {
        method = newMethod;
        return this;
    }

    HeadOutcome target(String newTarget) {
        return target(newTarget, newTarget, "");
    }

    HeadOutcome target(String newTarget, String newPath, String newQuery) {
        target = newTarget;
        path = newPath;
        query = newQuery;
        return this;
    }

    HeadOutcome minorVersion(int minor) {
        minorVersion = minor;
        return this;
    }

    HeadOutcome noHost() {
        hasHost = false;
        return this;
    }

    HeadOutcome field(String name, String value) {
        fields.add(name + ":" + value);
        return this;
    }

    HeadOutcome chunked() {
        chunked = true;
        return this;
    }

    HeadOutcome expectsContinue() {
        expectsContinue = true;
        return this;
    }

    HeadOutcome closes() {
        closes = true;
        return this;
    }

    HeadOutcome keepsAlive() {
        keepsAlive = true;
        return this;
    }

    HeadOutcome contentLength(long length) {
        contentLength = length;
        return this;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HeadOutcome that
                && result == that.result
                && parts().equals(that.parts());
    }

    @Override
    public int hashCode() {
        return result;
    }

    private List<Object> parts() {
        return List.of(
                method,
                target,
                path,
                query,
                minorVersion,
                fields,
                hasHost,
                chunked,
                expectsContinue,
                closes,
                keepsAlive,
                contentLength);
    }

    @Override
    public String toString() {
        if (result == RequestParser.NEED_MORE) {
            return "NEED_MORE";
        } else if (result < 0) {
            return "status " + -result;
        }
        return String.format(
                "%d bytes: %s target=%s path=%s query=%s HTTP/1.%d %s"
                        + " hasHost=%b chunked=%b expectsContinue=%b closes=%b keepsAlive=%b"
                        + " contentLength=%d",
                result,
                method,
                Bytes.escape(target),
                Bytes.escape(path),
                Bytes.escape(query),
                minorVersion,
                Bytes.escape(fields.toString()),
                hasHost,
                chunked,
                expectsContinue,
                closes,
                keepsAlive,
                contentLength);
    }
}
