package io.bareloop.loop;

import io.bareloop.sys.Sockaddr;
import io.bareloop.sys.Syscalls;
import io.bareloop.wire.Peer;
import java.lang.foreign.MemorySegment;

/**
 * Who is at the other end of one connection: asked of the kernel when somebody wants to know, and
 * then known until the connection closes. Used for one connection after another.
 */
final class PeerName {
    private final Loop loop;
    private final Syscalls sys;

    /** Made when first needed: most servers never ask. */
    private Peer peer;

    private boolean known;

    PeerName(Loop loop, Syscalls sys) {
        this.loop = loop;
        this.sys = sys;
    }

    /** A connection begins. */
    void open() {
        known = false;
    }

    Peer peer(int fd) {
        if (!known) {
            known = true;
            if (peer == null) {
                peer = new Peer();
            }
            ask(fd);
        }
        return peer;
    }

    private void ask(int fd) {
        MemorySegment name = loop.peerName;
        if (sys.getpeername(fd, name) < 0) {
            // ENOTCONN: a reset has come meanwhile, and the kernel has forgotten it.
            peer.clear();
            return;
        }
        int length = Sockaddr.addressBytes(name);
        peer.set(name, Sockaddr.addressOffset(name), length, length > 0 ? Sockaddr.port(name) : 0);
    }
}
