package io.bareloop.wire;

/**
 * Which of a number of blocks are free, and the first of them: a bit for each, and a bit for each
 * word of those, so that a search in 131,072 looks at 34 words at most.
 */
final class FreeBlocks {
    private final int size;
    private final long[] bits;
    private final long[] words;
    private int count;

    /** None of {@code size} blocks is free. */
    FreeBlocks(int size) {
        this.size = size;
        bits = new long[(size >>> 6) + 1];
        words = new long[(bits.length >>> 6) + 1];
    }

    /** How many blocks there are, free or not. */
    int size() {
        return size;
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean contains(int block) {
        return block < size && (bits[block >>> 6] & 1L << block) != 0;
    }

    void add(int block) {
        int word = block >>> 6;
        bits[word] |= 1L << block;
        words[word >>> 6] |= 1L << word;
        count++;
    }

    void remove(int block) {
        int word = block >>> 6;
        bits[word] &= ~(1L << block);
        if (bits[word] == 0) {
            words[word >>> 6] &= ~(1L << word);
        }
        count--;
    }

    /** The first free block, or -1. */
    int first() {
        for (int i = 0; i < words.length; i++) {
            if (words[i] != 0) {
                int word = (i << 6) + Long.numberOfTrailingZeros(words[i]);
                return (word << 6) + Long.numberOfTrailingZeros(bits[word]);
            }
        }
        return -1;
    }

    /** The first free block at or behind {@code from}, or -1. */
    int next(int from) {
        for (int word = from >>> 6; word < bits.length; word++) {
            long left = word == from >>> 6 ? bits[word] & -1L << from : bits[word];
            if (left != 0) {
                return (word << 6) + Long.numberOfTrailingZeros(left);
            }
        }
        return -1;
    }
}
