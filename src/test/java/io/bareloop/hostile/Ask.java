package io.bareloop.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** A request, and what it may be answered. For one connection's thread. */
final class Ask {
    /** How it may come out, beside a whole response of an allowed status. */
    enum Way {
        /** A response that was begun may be cut off by the end of the connection. */
        CUT,
        /** It must be: the response never is a whole one. */
        ALWAYS_CUT,
        /** The connection may end behind it, though the response does not say so. */
        LAST,
        /** The connection may end without a response. */
        NO_ANSWER,
        /** The response does not carry the marker: it is the same for all who ask. */
        UNMARKED,
        /** The answer comes only after the peer is gone, if at all: not to be waited for. */
        UNANSWERED
    }

    private final String label;
    private final String marker;
    private final Map<Integer, Supplier<BodyCheck>> answers = new HashMap<>();
    private final Set<Way> ways = EnumSet.noneOf(Way.class);
    private byte[] head = {};
    private byte[] body = {};
    private boolean isHead;
    private boolean expectsContinue;
    private int minorVersion = 1;
    private boolean isLast;

    Ask(String label, String marker) {
        this.label = label;
        this.marker = marker;
    }

    Ask bytes(String newHead, byte[] newBody) {
        head = newHead.getBytes(ISO_8859_1);
        body = newBody;
        isHead = newHead.startsWith("HEAD ");
        expectsContinue = newHead.contains("\r\nExpect: 100-continue\r\n");
        minorVersion = newHead.contains(" HTTP/1.0\r\n") ? 0 : 1;
        isLast =
                newHead.contains("\r\nConnection: close\r\n")
                        || (minorVersion == 0
                                && !newHead.contains("\r\nConnection: keep-alive\r\n"));
        return this;
    }

    /** A status that it may be answered with, with a body that {@code check} knows. */
    Ask answer(int status, Supplier<BodyCheck> check) {
        answers.put(status, check);
        return this;
    }

    /** A status with which the server itself may answer. */
    Ask error(int status) {
        return answer(status, () -> BodyCheck.error(status));
    }

    /** Not with {@code status}, after all. */
    Ask without(int status) {
        answers.remove(status);
        return this;
    }

    Ask may(Way way) {
        ways.add(way);
        return this;
    }

    boolean mayBe(Way... any) {
        for (Way way : any) {
            if (ways.contains(way)) {
                return true;
            }
        }
        return false;
    }

    /** What is counted: the kind, with what belongs to it. */
    String label() {
        return label;
    }

    String marker() {
        return marker;
    }

    byte[] head() {
        return head;
    }

    byte[] body() {
        return body;
    }

    /** Head and body. */
    byte[] bytes() {
        byte[] both = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, both, head.length, body.length);
        return both;
    }

    boolean isHead() {
        return isHead;
    }

    boolean expectsContinue() {
        return expectsContinue;
    }

    /**
     * Whether it says that it is the connection's last: nobody may send anything behind it, for the
     * server need not read it, and resets the connection where it does not.
     */
    boolean isLast() {
        return isLast;
    }

    int minorVersion() {
        return minorVersion;
    }

    boolean allows(int status) {
        return answers.containsKey(status);
    }

    BodyCheck check(int status) {
        Supplier<BodyCheck> check = answers.get(status);
        return check == null ? BodyCheck.error(status) : check.get();
    }

    Set<Integer> statuses() {
        return answers.keySet();
    }

    @Override
    public String toString() {
        String text = new String(head, ISO_8859_1);
        return label
                + " \""
                + text.substring(0, Math.min(text.length(), 300)).replace("\r\n", " | ")
                + "\" with "
                + body.length
                + " bytes of body";
    }
}
