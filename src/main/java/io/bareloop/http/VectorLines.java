package io.bareloop.http;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Parses field lines by vectors of jdk.incubator.vector, 64 bytes at a time, and finds in them what
 * {@link RequestParser} finds by words. Where that module is, for this class alone needs it.
 *
 * <p>First every block of the head becomes two longs of one bit for each byte: where a line ends,
 * and where a name does. The lines are then found by these bits. So where a line begins does not
 * have to be known for the bytes behind it to be looked at, and lines do not wait for each other.
 *
 * <p>Lines that are not usual, and those near the end of the segment, are parsed by words, as they
 * always are. One instance belongs to one thread.
 */
final class VectorLines extends FieldLines {
    private static final int BLOCK_BYTES = Long.SIZE;
    private static final int BLOCK_SHIFT = 6;

    /** A longer head is marked in parts. */
    static final int BLOCKS_MAX = 64;

    /** Two halves a block where the CPU has vectors of 32 bytes. */
    private static final VectorSpecies<Byte> SPECIES =
            ByteVector.SPECIES_PREFERRED.length() >= BLOCK_BYTES
                    ? ByteVector.SPECIES_512
                    : ByteVector.SPECIES_256;

    /** Memory is read up to here from the start of a block: words may begin at its last byte. */
    private static final int REACH_BYTES = BLOCK_BYTES + Long.BYTES;

    private static final short CRLF = (short) Swar.ascii("\r\n");
    private static final short COLON_SP = (short) Swar.ascii(": ");

    // Signed bytes: what makes a range of characters one from the least byte on, and its last one.
    private static final byte VISIBLE_OFFSET = (byte) (0x80 - ' ');
    private static final byte VISIBLE_LAST = (byte) (0x80 + '~' - ' ');
    private static final byte LETTERS_OFFSET = (byte) (0x80 - 'a');
    private static final byte LETTERS_LAST = (byte) (0x80 + 'z' - 'a');

    /**
     * The first of each run of bytes that end a usual value: CR, where the line is as it should.
     */
    private final long[] lineEnds = new long[BLOCKS_MAX];

    /** All bytes that end a usual name, see {@link Swar#nameStops}. */
    private final long[] nameEnds = new long[BLOCKS_MAX];

    /** How many blocks are marked; 0 before they are. */
    private int blocks;

    @Override
    boolean pays() {
        return ByteVector.SPECIES_PREFERRED.length() >= BLOCK_BYTES / 2;
    }

    @Override
    long parse(long from, long end, long words, Request request) {
        long line = from;
        long marks = from;
        blocks = 0;
        while (line < words && Memory.getByte(line) != Ascii.CR) {
            if (line >= marks + (long) blocks * BLOCK_BYTES) {
                marks = line;
                blocks = 0;
            }
            long next = parseUsual(line, marks, end, words, request);
            if (next == line) {
                if (blocks == 0) {
                    return line;
                }
                next = RequestParser.parseRareLine(line, end, words, request);
            }
            if (next <= 0) {
                return next;
            }
            line = next;
        }
        return line;
    }

    /**
     * Parses usual lines from {@code from} on, which lies in the blocks that begin at {@code
     * marks}; marks them first where that has not been done. One method on purpose: so it is too
     * large to be inlined (325 bytes of code), and the JIT has room for the vectors' methods, of
     * which it leaves some out where they come on top of a parser.
     *
     * @return where the first line begins that is none, or is not whole within the blocks; or a
     *     negated status
     */
    private long parseUsual(long from, long marks, long end, long words, Request request) {
        long[] ends = lineEnds;
        long[] names = nameEnds;
        int count = blocks;
        if (count == 0) {
            long to = Math.min(end, request.segmentEnd() - (REACH_BYTES - 1));
            long stopsBefore = 0;
            long pairsBefore = 0;
            while (count < BLOCKS_MAX) {
                long block = Memory.within(marks + (long) count * BLOCK_BYTES);
                if (block >= to) {
                    break;
                }
                ByteVector bytes = load(block);
                long stops = valueStops(bytes);
                long notNames = nameStops(bytes);
                if (SPECIES.length() < BLOCK_BYTES) {
                    bytes = load(block + BLOCK_BYTES / 2);
                    stops |= valueStops(bytes) << (BLOCK_BYTES / 2);
                    notNames |= nameStops(bytes) << (BLOCK_BYTES / 2);
                }
                long behindStops = stops << 1 | stopsBefore >>> 63;
                long pairs = stops & behindStops;
                // What follows a stop is LF, or begins a line, where nameEnds tells of it.
                ends[count] = stops & ~behindStops;
                names[count] = notNames;
                count++;
                // Two pairs in a row: the end of the head, unless it is not a usual one.
                if ((pairs & (pairs << 2 | pairsBefore >>> 62)) != 0) {
                    break;
                }
                stopsBefore = stops;
                pairsBefore = pairs;
            }
            if (count == 0) {
                return from;
            }
            blocks = count;
        }

        long line = Memory.within(from);
        int index = (int) (line - marks) >> BLOCK_SHIFT;
        // A shift takes the lowest six bits, here and below: the byte's place in its block.
        long left = ends[index] & -1L << (line - marks);
        while (true) {
            while (left != 0) {
                long lineEnd =
                        Memory.within(
                                marks
                                        + (long) index * BLOCK_BYTES
                                        + Long.numberOfTrailingZeros(left));
                left &= left - 1;

                long at = line - marks;
                long stops = names[(int) at >> BLOCK_SHIFT] >>> at;
                if (stops == 0) {
                    // A name over the end of a block, or the line would have ended there.
                    at = (at | (BLOCK_BYTES - 1)) + 1;
                    stops = names[(int) at >> BLOCK_SHIFT];
                    if (stops == 0) {
                        return line;
                    }
                }
                long colon = Memory.within(marks + at + Long.numberOfTrailingZeros(stops));
                if (lineEnd > end - 2 || Memory.getShort(lineEnd) != CRLF || colon == line) {
                    return line;
                }
                int three = Memory.getInt(colon);
                if ((short) three != COLON_SP
                        || (three >>> 16 & 0xFF) <= Ascii.SP
                        || Memory.getByte(lineEnd - 1) <= Ascii.SP) {
                    return line;
                }
                if (!request.addField(line, colon, colon + 2, lineEnd)) {
                    return RequestParser.FIELDS_TOO_LARGE;
                }
                if (RequestParser.mayFrame(Memory.getInt(line) | (int) Swar.CASE_BITS)) {
                    int refusal =
                            RequestParser.noteFraming(
                                    line, (int) (colon - line), colon + 2, lineEnd, words, request);
                    if (refusal < 0) {
                        return refusal;
                    }
                }
                line = Memory.within(lineEnd + 2);
            }
            index++;
            if (index >= count) {
                return line;
            }
            left = ends[index];
        }
    }

    private static ByteVector load(long address) {
        return ByteVector.fromMemorySegment(SPECIES, Memory.ALL, address, ByteOrder.LITTLE_ENDIAN);
    }

    /** See {@link Swar#valueStops}. */
    private static long valueStops(ByteVector bytes) {
        return bytes.add(VISIBLE_OFFSET).compare(VectorOperators.GT, VISIBLE_LAST).toLong();
    }

    /** See {@link Swar#nameStops}. */
    private static long nameStops(ByteVector bytes) {
        return bytes.or((byte) 0x20)
                .add(LETTERS_OFFSET)
                .compare(VectorOperators.GT, LETTERS_LAST)
                .and(bytes.compare(VectorOperators.NE, (byte) '-'))
                .toLong();
    }
}
