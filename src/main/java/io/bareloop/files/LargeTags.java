package io.bareloop.files;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Strong entity tags (RFC 9110, section 8.8.3) of files that are too large to be hashed: made of
 * the size, the time of the last change, to the nanosecond, and a digest of the first and last
 * bytes. So a copy that keeps the time has the same tag on each server that has one.
 *
 * <p>Two versions of a file could share all of these: with a tool that sets times back (cp -p), or
 * one that gives each file the same time. The tags that were given out are remembered, so that a
 * second version gets one of its own, which has a digest of inode and time of the last change of
 * anything in it, and is of this server only. So does, from the first, a file whose time says
 * nothing; see {@link FileVersion#isDated}. What is left: two versions with the same size, time and
 * ends, of which this process has seen but one.
 *
 * <p>For any thread.
 */
final class LargeTags {
    /** Bytes at either end of a file that are in its digest. */
    static final int SAMPLE_BYTES = 4096;

    /** Tags that are remembered; one takes some 300 bytes. */
    private static final int KNOWN_MAX = 4096;

    private static final int DIGEST_BYTES = 9;

    /** Which version was the first to have a tag, by the file's name and that tag. */
    private final Map<String, FileVersion> known =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, FileVersion> eldest) {
                    return size() > KNOWN_MAX;
                }
            };

    /**
     * A tag.
     *
     * @param text with its quotes
     * @param dateTells whether the time of the last change differs between versions, as far as is
     *     known
     */
    record Tag(String text, boolean dateTells) {}

    /**
     * The tag of a version.
     *
     * @param name of the file beneath the root
     * @param ends its first and last bytes
     */
    Tag of(String name, FileVersion version, byte[] ends) {
        String common =
                Long.toHexString(version.size())
                        + '-'
                        + Long.toHexString(version.modifiedNanos())
                        + '-'
                        + digest(ends);
        boolean only = version.isDated() && isFirst(name + '\0' + common, version);
        if (only) {
            return new Tag('"' + common + '"', true);
        }
        String own = version.inode() + " " + version.changedNanos();
        return new Tag('"' + common + '-' + digest(own.getBytes(UTF_8)) + '"', false);
    }

    private synchronized boolean isFirst(String tag, FileVersion version) {
        FileVersion first = known.putIfAbsent(tag, version);
        return first == null || first.equals(version);
    }

    /** Short, and long enough that nobody meets two equal ones by chance. */
    private static String digest(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return Base64.getUrlEncoder().encodeToString(Arrays.copyOf(digest, DIGEST_BYTES));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
