package io.bareloop.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Bytes;
import io.bareloop.rig.Gunzip;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a compressor makes is what {@code java.util.zip} reads, whatever comes in which pieces. */
class CompressorTest {
    private static final int STREAMS_MAX = 3;
    private static final int BODY_BYTES_MAX = 200_000;

    private final Arena arena = Arena.ofConfined();
    private final Compressor compressor =
            new Compressor(
                    arena,
                    this,
                    new CompressionChoice(
                            2,
                            64,
                            BODY_BYTES_MAX,
                            STREAMS_MAX,
                            new MediaRanges(List.of("text/*"))));

    @AfterEach
    void close() {
        compressor.close();
        arena.close();
    }

    /**
     * Some that repeat, some noise: what is compressed is now longer, now shorter than a buffer.
     */
    private static byte[] random(Random random, int length) {
        byte[] bytes = new byte[length];
        int at = 0;
        while (at < length) {
            int run = Math.min(length - at, 1 + random.nextInt(3000));
            boolean noise = random.nextInt(3) == 0;
            byte same = (byte) random.nextInt();
            for (int i = 0; i < run; i++) {
                bytes[at++] = noise ? (byte) random.nextInt() : same;
            }
        }
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void wholeBodies(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            byte[] body = random(random, 64 + random.nextInt(BODY_BYTES_MAX - 64) / (1 + round));
            int ofArray = compressor.whole().compress(body);
            byte[] first = compressed(ofArray);
            MemorySegment memory = Bytes.nativeSegment(body);
            int ofMemory = compressor.whole().compress(memory, 0, body.length);
            assertThat(ofMemory).isEqualTo(ofArray).isLessThan(body.length);
            assertThat(compressed(ofMemory)).isEqualTo(first);
            if (ofArray >= 0) {
                assertThat(Gunzip.bytes(first)).isEqualTo(body);
            }
        }
    }

    private byte[] compressed(int length) {
        return compressor
                .buffer()
                .memory()
                .asSlice(0, Math.max(0, length))
                .toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void whatIsNoGainIsSaid() {
        byte[] noise = new byte[BODY_BYTES_MAX];
        new Random(5).nextBytes(noise);
        assertThat(compressor.whole().compress(noise)).isEqualTo(-1);
        // The next one knows nothing of it.
        byte[] same = new byte[1000];
        int length = compressor.whole().compress(same);
        assertThat(Gunzip.bytes(compressed(length))).isEqualTo(same);
    }

    /** Memory may be closed by another thread while it is read: nothing is left of it. */
    @Test
    void whatFailsLeavesNothing() {
        byte[] body = random(new Random(8), 100_000);
        try (Arena other = Arena.ofConfined()) {
            // Readable to its second piece alone.
            MemorySegment shorter = other.allocate(50_000);
            assertThatIndexOutOfBounds(() -> compressor.whole().compress(shorter, 0, body.length));
        }
        assertThat(compressor.buffer().takeOut()).isZero();
        assertThat(Gunzip.bytes(compressed(compressor.whole().compress(body)))).isEqualTo(body);
    }

    private static void assertThatIndexOutOfBounds(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** Each at every length of the buffer: wherever it is full, it goes on. */
    @Test
    void everyRoomWillDo() {
        byte[] body = random(new Random(6), 3000);
        for (int room = 16; room < 200; room++) {
            ByteBuffer out = ByteBuffer.allocateDirect(room).order(ByteOrder.LITTLE_ENDIAN);
            Gzip gzip = compressor.pool().take();
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            boolean fits = gzip.take(body, 0, body.length, out);
            empty(out, all);
            while (!fits) {
                fits = gzip.goOn(out);
                empty(out, all);
            }
            fits = gzip.flush(out);
            empty(out, all);
            while (!fits) {
                fits = gzip.flush(out);
                empty(out, all);
            }
            while (!gzip.finish(out)) {
                empty(out, all);
            }
            empty(out, all);
            compressor.pool().giveBack(gzip);
            assertThat(Gunzip.bytes(all.toByteArray())).as("room %s", room).isEqualTo(body);
        }
    }

    private static void empty(ByteBuffer out, ByteArrayOutputStream to) {
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        out.clear();
        to.writeBytes(bytes);
    }

    @Test
    void deflatersAreBoundedAndUsedAgain() {
        List<Gzip> taken = new ArrayList<>();
        for (int i = 0; i < STREAMS_MAX; i++) {
            assertThat(compressor.pool().hasFree()).isTrue();
            taken.add(compressor.pool().take());
        }
        assertThat(taken).doesNotContainNull().doesNotHaveDuplicates();
        assertThat(compressor.pool().hasFree()).isFalse();
        assertThat(compressor.pool().take()).isNull();
        compressor.pool().giveBack(taken.get(1));
        assertThat(compressor.pool().take()).isSameAs(taken.get(1));
    }

    /** What is given back behind the end is given back to nobody. */
    @Test
    void theEndMayComeFirst() {
        Gzip gzip = compressor.pool().take();
        compressor.close();
        compressor.pool().giveBack(gzip);
        assertThat(compressor.pool().hasFree()).isTrue();
    }
}
