package io.bareloop.http;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.bareloop.wire.Head;
import io.bareloop.wire.Networks;
import io.bareloop.wire.Peer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The proxies that a request has come through, as its fields have them: each has added, at the end,
 * who has asked it. Belongs to one request at a time.
 */
final class ProxyChain {
    /** So many from the end are looked at. */
    static final int HOPS_MAX = 32;

    private static final HeaderName FORWARDED = HeaderName.of("Forwarded");
    private static final HeaderName FOR = HeaderName.of("X-Forwarded-For");
    private static final HeaderName PROTO = HeaderName.of("X-Forwarded-Proto");

    private final ForwardedReader reader = new ForwardedReader();

    /** The last ones; hop {@code i} of all is at {@code i} modulo their number. */
    private Hop[] hops = {};

    private int count;

    /** Who {@link #FOR} says, where {@link #FORWARDED} says something too. */
    private Client other;

    /** What one proxy has added: who has asked it, and how. */
    static final class Hop {
        /** Without an address where there is none, or none that can be read. */
        final Peer peer = new Peer();

        Client.Scheme scheme = Client.Scheme.UNKNOWN;

        void clear() {
            peer.clear();
            scheme = Client.Scheme.UNKNOWN;
        }
    }

    /** Finds out who {@code client} is, which so far is a trusted proxy. */
    void find(Head head, Networks trusted, Client client) {
        if (!readForwarded(head)) {
            readFor(head);
            readProto(head, client);
            walk(trusted, client);
            return;
        }
        Peer peer = head.peer();
        walk(trusted, client);
        if (readFor(head)) {
            if (other == null) {
                other = new Client();
            }
            other.direct(peer);
            readProto(head, other);
            walk(trusted, other);
            if (!other.peer().isAt(client.peer())) {
                client.direct(peer);
            } else if (client.toldScheme() == Client.Scheme.UNKNOWN) {
                client.scheme(other.toldScheme());
            }
        }
    }

    /** From the last hop to the first that is not trusted, or does not say who has asked. */
    private void walk(Networks trusted, Client client) {
        int first = Math.max(0, count - HOPS_MAX);
        for (int i = count - 1; i >= first; i--) {
            Hop hop = hops[i % HOPS_MAX];
            if (hop.scheme != Client.Scheme.UNKNOWN) {
                client.scheme(hop.scheme);
            }
            if (!hop.peer.hasAddress()) {
                return;
            }
            client.behind(hop.peer);
            if (!trusted.contains(hop.peer)) {
                return;
            }
        }
    }

    // ---- what fields say

    /** Another hop; what was known of it is of an earlier one. */
    Hop add() {
        int index = count % HOPS_MAX;
        if (index == hops.length) {
            hops = Arrays.copyOf(hops, index + 1);
            hops[index] = new Hop();
        }
        count++;
        hops[index].clear();
        return hops[index];
    }

    private boolean readForwarded(Head head) {
        count = 0;
        boolean found = false;
        for (int i = 0; i < head.fieldCount(); i++) {
            if (isField(head, i, FORWARDED)) {
                found = true;
                reader.read(head.segment(), start(head, i), end(head, i), this);
            }
        }
        return found;
    }

    private boolean readFor(Head head) {
        count = 0;
        boolean found = false;
        for (int i = 0; i < head.fieldCount(); i++) {
            if (isField(head, i, FOR)) {
                found = true;
                readList(head.segment(), start(head, i), end(head, i));
            }
        }
        return found;
    }

    /**
     * Notes with each hop how it was asked. Some proxies add that each time, some set it once: then
     * it is said of {@code client}, by whoever came last.
     */
    private void readProto(Head head, Client client) {
        int elements = 0;
        for (int i = 0; i < head.fieldCount(); i++) {
            if (isField(head, i, PROTO)) {
                elements += countList(head.segment(), start(head, i), end(head, i));
            }
        }
        boolean eachHop = elements == count;
        int index = 0;
        for (int i = 0; i < head.fieldCount(); i++) {
            if (isField(head, i, PROTO)) {
                index = readProtos(head, i, index, eachHop, client);
            }
        }
    }

    private int readProtos(Head head, int field, int from, boolean eachHop, Client client) {
        MemorySegment in = head.segment();
        int to = end(head, field);
        int index = from;
        for (int at = next(in, start(head, field), to); at < to; at = next(in, at, to)) {
            int elementEnd = elementEnd(in, at, to);
            Client.Scheme scheme = ForwardedReader.scheme(in, at, trimmed(in, at, elementEnd));
            if (!eachHop) {
                client.scheme(scheme);
            } else if (index >= count - HOPS_MAX) {
                hops[index % HOPS_MAX].scheme = scheme;
            }
            index++;
            at = elementEnd;
        }
        return index;
    }

    private int countList(MemorySegment in, int from, int to) {
        int elements = 0;
        for (int at = next(in, from, to); at < to; at = next(in, at, to)) {
            elements++;
            at = elementEnd(in, at, to);
        }
        return elements;
    }

    /** The elements of X-Forwarded-For, which is described nowhere: addresses, some with ports. */
    private void readList(MemorySegment in, int from, int to) {
        for (int at = next(in, from, to); at < to; at = next(in, at, to)) {
            int elementEnd = elementEnd(in, at, to);
            reader.node(in, at, trimmed(in, at, elementEnd), true, add().peer);
            at = elementEnd;
        }
    }

    /** Where the next element begins: empty ones are none (RFC 9110, section 5.6.1.2). */
    private static int next(MemorySegment in, int from, int to) {
        int at = from;
        while (at < to && (in.get(JAVA_BYTE, at) == ',' || isBlank(in.get(JAVA_BYTE, at)))) {
            at++;
        }
        return at;
    }

    private static int elementEnd(MemorySegment in, int from, int to) {
        int at = from;
        while (at < to && in.get(JAVA_BYTE, at) != ',') {
            at++;
        }
        return at;
    }

    private static int trimmed(MemorySegment in, int from, int to) {
        int end = to;
        while (end > from && isBlank(in.get(JAVA_BYTE, end - 1L))) {
            end--;
        }
        return end;
    }

    static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    private static boolean isField(Head head, int index, HeaderName name) {
        long start = head.address();
        return name.matches(start + head.fieldOffset(index, 0), start + head.fieldOffset(index, 1));
    }

    private static int start(Head head, int index) {
        return head.base() + head.fieldOffset(index, 2);
    }

    private static int end(Head head, int index) {
        return head.base() + head.fieldOffset(index, 3);
    }
}
