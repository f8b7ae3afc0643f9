package io.bareloop.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Views as a request hands them out, for tests of other packages. */
public final class Views {
    private Views() {}

    /** A view of the characters of {@code latin1} as bytes. */
    public static ByteView of(String latin1) {
        byte[] bytes = latin1.getBytes(ISO_8859_1);
        MemorySegment segment = Arena.ofAuto().allocate(bytes.length + 3L);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 2, bytes.length);
        return new ByteView().set(segment, 2, bytes.length);
    }
}
