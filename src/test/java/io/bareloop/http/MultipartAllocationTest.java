package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Allocations;
import io.bareloop.rig.Bytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pieces of files allocate nothing, delimiters that are none among them. */
@Timeout(60)
class MultipartAllocationTest {
    private static final MultipartLimits LIMITS =
            MultipartLimits.builder()
                    .fileBytesMax(Long.MAX_VALUE)
                    .bodyBytesMax(Long.MAX_VALUE)
                    .build();

    /** Counts what it is told. */
    private static final class Count implements MultipartListener {
        long bytes;
        long pieces;

        @Override
        public void field(Part part, String value) {}

        @Override
        public void begin(Part part) {}

        @Override
        public void piece(Part part, ByteView piece) {
            bytes += piece.length();
            pieces += piece.at(0) == '\r' ? 1 : 0;
        }

        @Override
        public void end(Part part) {}
    }

    @Test
    void piecesOfFiles() throws Exception {
        Count count = new Count();
        MultipartReader reader =
                MultipartReader.of("multipart/form-data; boundary=boundary", LIMITS, count);
        try (Arena arena = Arena.ofConfined()) {
            feed(
                    reader,
                    view(
                            arena,
                            "--boundary\r\n"
                                    + "Content-Disposition: form-data; name=n; filename=f"
                                    + "\r\n\r\n"));
            // The last bytes of the first are those of a delimiter, of which the second makes none.
            String first = "x".repeat(1000) + "\r\n--bound\r\r\n" + "y".repeat(500) + "\r\n--boun";
            ByteView view = view(arena, first);
            ByteView next = view(arena, "dance" + "z".repeat(700) + "\rx");
            Runnable once =
                    () -> {
                        feed(reader, view);
                        feed(reader, next);
                    };
            assertThat(Allocations.perRound(once)).isZero();
            long rounds = count.bytes / (view.length() + next.length());
            assertThat(count.bytes).isEqualTo(rounds * (view.length() + next.length()));
            assertThat(count.pieces).as("delimiters that were none").isEqualTo(rounds);
        }
    }

    private static void feed(MultipartReader reader, ByteView piece) {
        try {
            reader.feed(piece);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static ByteView view(Arena arena, String latin1) {
        MemorySegment in = arena.allocate(latin1.length());
        in.copyFrom(MemorySegment.ofArray(Bytes.of(latin1)));
        return new ByteView().set(in, 0, latin1.length());
    }
}
