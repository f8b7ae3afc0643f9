package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.loop.Loop;
import org.junit.jupiter.api.Test;

/** The sum that a server announces. */
class NativeMemoryTest {
    private static final long MIB = 1 << 20;

    @Test
    void isTheSumOfItsTerms() {
        NativeMemory memory = NativeMemory.of(3, 10 * MIB, Setting.AUTO);
        assertThat(memory.total())
                .isEqualTo(3 * (10 * MIB + memory.bufferBytes() + memory.protocolBytes()));
        assertThat(memory.bufferBytes()).isEqualTo(Loop.nativeBytes(true));
        assertThat(NativeMemory.of(3, 10 * MIB, Setting.OFF).bufferBytes())
                .isEqualTo(Loop.nativeBytes(false))
                .isLessThan(memory.bufferBytes());
        assertThat(memory.isLowered()).isFalse();
        assertThat(memory)
                .hasToString(
                        "at most 31.1 MiB outside the heap: 3 loops of 10 MiB pending and 0.4 MiB"
                                + " of buffers");
    }

    /** Half of the heap for all loops together, and never so little that nothing can be done. */
    @Test
    void whatIsPendingFollowsTheHeapWhereNothingIsSaid() {
        long heap = Runtime.getRuntime().maxMemory();
        NativeMemory one = NativeMemory.of(1, NativeMemory.PENDING_UNSET, Setting.AUTO);
        assertThat(one.pendingBytes()).isEqualTo(Math.min(64 * MIB, heap / 2));
        NativeMemory many = NativeMemory.of(1024, NativeMemory.PENDING_UNSET, Setting.AUTO);
        assertThat(many.pendingBytes())
                .isEqualTo(Math.max(4 * MIB, Math.min(64 * MIB, heap / 2048)));
        assertThat(many.isLowered()).isTrue();
        assertThat(many.toString()).contains("lowered from 64 MiB for -Xmx ", "--max-pending");
    }
}
