package io.bareloop.wire;

/**
 * What is compressed, and how.
 *
 * @param level of the deflater, 1 to 9
 * @param bodyBytesMin of a whole body
 * @param bodyBytesMax of a whole body
 * @param streamsMax at a time
 * @param types of bodies
 */
public record CompressionChoice(
        int level, int bodyBytesMin, int bodyBytesMax, int streamsMax, MediaRanges types) {}
