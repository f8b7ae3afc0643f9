package io.bareloop.exchange;

import io.bareloop.wire.FileSource;
import io.bareloop.wire.OutputBuffer;
import io.bareloop.wire.Transport;
import java.lang.foreign.MemorySegment;

/**
 * What is left to be sent of a body that is larger than the output buffer: bytes of an array, of
 * memory, or of a file, which stay where they are. Belongs to its exchange, which lives until the
 * last of them is with the kernel.
 */
public final class Rest {
    private enum Kind {
        NONE,
        ARRAY,
        HEAP,
        NATIVE,
        FILE
    }

    private Kind kind = Kind.NONE;
    private byte[] array;
    private MemorySegment memory;
    private FileSource file;
    private long at;
    private long end;

    public boolean isPending() {
        return kind != Kind.NONE;
    }

    public void begin(byte[] bytes) {
        kind = Kind.ARRAY;
        array = bytes;
        at = 0;
        end = bytes.length;
    }

    public void begin(MemorySegment bytes, long offset, long length) {
        // The kernel cannot be pointed at an array, which moves.
        kind = bytes.isNative() ? Kind.NATIVE : Kind.HEAP;
        memory = bytes;
        at = offset;
        end = offset + length;
    }

    /** The file is released when all is sent, or {@link #drop dropped}. */
    public void begin(FileSource source, long offset, long length) {
        kind = Kind.FILE;
        file = source;
        at = offset;
        end = offset + length;
    }

    /**
     * Sends as much as goes now, behind what stands in the output buffer.
     *
     * @throws RuntimeException where the memory or the file refuses; nothing was sent then
     */
    public void send(Transport transport) {
        switch (kind) {
            case NATIVE -> at += transport.sendMemory(memory, at, end - at);
            case FILE -> at += transport.sendFile(file, at, end - at);
            case ARRAY, HEAP -> copy(transport);
            case NONE -> {}
        }
    }

    private void copy(Transport transport) {
        OutputBuffer out = transport.output();
        while (true) {
            int piece = (int) Math.min(out.room(), end - at);
            if (kind == Kind.ARRAY) {
                out.put(array, (int) at, piece);
            } else {
                out.put(memory, at, piece);
            }
            at += piece;
            if (at == end || !transport.flush()) {
                return;
            }
        }
    }

    /** Bytes that are still to be sent, or never will be. */
    long left() {
        return end - at;
    }

    /** Another request begins: it has none yet. */
    void clear() {
        at = 0;
        end = 0;
    }

    public boolean isAllSent() {
        return at == end;
    }

    /** Nothing is left; a file stays its caller's. */
    public void keepWithCaller() {
        file = null;
        drop();
        clear();
    }

    /**
     * Nothing is left; returns the file that is to be released, or null. What its own code throws
     * is up to the caller.
     */
    FileSource drop() {
        FileSource sent = file;
        kind = Kind.NONE;
        array = null;
        memory = null;
        file = null;
        return sent;
    }
}
