package io.bareloop.http;

import io.bareloop.wire.AddressText;
import io.bareloop.wire.Checks;
import io.bareloop.wire.Head;
import io.bareloop.wire.Networks;
import io.bareloop.wire.Peer;
import io.bareloop.wire.Span;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Who asks, as far as it is known. Without trusted proxies, which {@code
 * HttpServer.Builder.trustedProxies} names, that is the other end of the connection. Where this is
 * a trusted proxy, it is the client that the proxy names:
 *
 * <ul>
 *   <li>in {@code Forwarded} (RFC 7239), or where that is missing in {@code X-Forwarded-For} and
 *       {@code X-Forwarded-Proto}; where both are there and name different clients, neither is
 *       believed, for one of them may be the client's own invention;
 *   <li>read from the right, which the nearest proxy has written, past all that are trusted
 *       themselves, to the first that is not; what stands further left anybody can have written;
 *   <li>as far as it is well-formed: at an element that is not, or that hides its address ({@code
 *       unknown}, {@code _hidden}), the last address before it counts; so it does after 32
 *       elements.
 * </ul>
 *
 * <p>Names are never looked up. A view: valid as its request is, until the next {@link
 * Request#client}. Nothing here allocates after the first use, except what says so.
 */
public final class Client {
    private static final String HTTP = "http";
    private static final String HTTPS = "https";

    private final Peer peer = new Peer();
    private final byte[] bytes = new byte[AddressText.BYTES_MAX];
    private final MemorySegment segment = MemorySegment.ofArray(bytes);
    private final ByteView text = new ByteView(new Span());

    /** Made when a trusted proxy comes. */
    private ProxyChain chain;

    /** In checked mode: its request is over. */
    private boolean stale;

    private boolean forwarded;
    private Scheme scheme = Scheme.UNKNOWN;

    /** What a proxy says of the connection that it has with the client. */
    enum Scheme {
        UNKNOWN,
        PLAIN,
        SECURE
    }

    Client() {}

    /** Finds out who has sent the request with this head. */
    void find(Head head, Networks proxies) {
        Peer other = head.peer();
        stale = false;
        direct(other);
        if (!proxies.isEmpty() && proxies.contains(other)) {
            if (chain == null) {
                chain = new ProxyChain();
            }
            chain.find(head, proxies, this);
        }
    }

    /** It is the other end of the connection, {@code other}. */
    void direct(Peer other) {
        peer.set(other);
        forwarded = false;
        scheme = Scheme.UNKNOWN;
    }

    /** It is behind that: {@code other}. */
    void behind(Peer other) {
        peer.set(other);
        forwarded = true;
    }

    void scheme(Scheme told) {
        scheme = told;
    }

    Scheme toldScheme() {
        return scheme;
    }

    Peer peer() {
        return peer;
    }

    /** Ends the view: in checked mode, every further use throws. */
    void expire() {
        stale = true;
        text.expire();
    }

    private void check() {
        if (Checks.ENABLED && stale) {
            throw new IllegalStateException(
                    "stale client: it is valid as its request is; copy what is kept");
        }
    }

    /**
     * The address as RFC 5952 writes it: {@code 192.0.2.1}, {@code 2001:db8::1}; without port,
     * brackets or zone.
     *
     * @return a view of it; empty where the address is not known
     */
    public ByteView text() {
        check();
        return text.set(segment, 0, AddressText.write(peer, bytes, 0));
    }

    /**
     * The address. Allocates what it returns; it is not looked up.
     *
     * @return the address, which stays valid; null where it is not known
     */
    public InetAddress address() {
        check();
        return peer.hasAddress() ? address(peer) : null;
    }

    static InetAddress address(Peer peer) {
        byte[] bytes = new byte[peer.length()];
        peer.copyAddress(bytes);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 or 16 bytes are an address", e);
        }
    }

    /** {@return the port that the client asks from, 1 to 65535; 0 where it is not known} */
    public int port() {
        check();
        return peer.port();
    }

    /**
     * How the client has asked, as far as it is known: {@code https} where a trusted proxy says so,
     * else {@code http}.
     *
     * @return one of the two
     */
    public String scheme() {
        check();
        return scheme == Scheme.SECURE ? HTTPS : HTTP;
    }

    /** {@return whether the address is what a trusted proxy has named} */
    public boolean isForwarded() {
        check();
        return forwarded;
    }
}
