package io.bareloop.files;

import io.bareloop.http.Fields;
import io.bareloop.sys.Errno;
import io.bareloop.sys.FileStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/**
 * Makes an entry of a file: opens it and its siblings, reads what is small, and says what is sent
 * with each coding: type, tag, date and other fields. For all threads of the disk at the same time.
 */
final class EntryMaker {
    static final Coding[] CODINGS = Coding.values();

    /** Reads of a file that changes while it is read, before the last one is taken as it is. */
    private static final int READS_MAX = 3;

    /** Less is not worth the time of the client. */
    private static final int GZIP_BYTES_MIN = 256;

    /** A sibling that is older than its file is of another version; clocks may differ by this. */
    private static final long SIBLING_NANOS = 2_000_000_000L;

    private final Root root;
    private final Disk disk;
    private final Settings settings;
    private final FaultLog log;
    private final LargeTags tags = new LargeTags();

    EntryMaker(Root root, Disk disk, Settings settings, FaultLog log) {
        this.root = root;
        this.disk = disk;
        this.settings = settings;
        this.log = log;
    }

    /** One coding of a file as it was read: its bytes where it is small, else the open file. */
    private static final class Content {
        final FileVersion version;
        final byte[] bytes;
        final OpenFile file;

        /** Of a large one; a small one has that of its bytes. */
        final LargeTags.Tag tag;

        Content(FileVersion version, byte[] bytes, OpenFile file, LargeTags.Tag tag) {
            this.version = version;
            this.bytes = bytes;
            this.file = file;
            this.tag = tag;
        }

        void release() {
            if (file != null) {
                file.release();
            }
        }
    }

    /**
     * Makes an entry of the file {@code name}.
     *
     * @param path where it is asked for: of a directory, {@code name} is that of its index file
     * @return the entry, or why there is none
     */
    @SuppressWarnings("EnumOrdinal") // an index of arrays that have one element for each
    Outcome make(Reader reader, String path, String name) {
        long now = System.currentTimeMillis() * 1_000_000L;
        Content[] contents = new Content[CODINGS.length];
        int error = read(reader, name, contents, Coding.IDENTITY.ordinal());
        Content plain = contents[Coding.IDENTITY.ordinal()];
        if (plain == null) {
            return error == IS_DIRECTORY && !path.endsWith("/")
                    ? Outcome.DIRECTORY
                    : Outcome.of(log.refusal(error, name));
        }
        boolean settled = plain.version.isSettled(now);
        List<FileVersion> versions = new ArrayList<>();
        for (Coding coding : CODINGS) {
            int i = coding.ordinal();
            if (coding != Coding.IDENTITY && settings.precompressed()) {
                read(reader, name + coding.suffix(), contents, i);
            }
            versions.add(contents[i] == null ? FileVersion.NONE : contents[i].version);
            settled &= contents[i] == null || contents[i].version.isSettled(now);
            if (contents[i] != null
                    && contents[i].version.modifiedNanos() + SIBLING_NANOS
                            < plain.version.modifiedNanos()) {
                contents[i].release();
                contents[i] = null;
            }
        }
        return Outcome.of(new Entry(path, versions, variants(path, name, contents, now), settled));
    }

    /** Not an errno: what was opened is a directory. */
    private static final int IS_DIRECTORY = -10_000;

    /** Reads {@code name} into {@code contents[at]}; returns 0, -errno or {@link #IS_DIRECTORY}. */
    private int read(Reader reader, String name, Content[] contents, int at) {
        for (int i = 1; ; i++) {
            int fd = root.openWithStatus(reader, name, true);
            if (fd < 0) {
                return fd;
            }
            if (!FileStatus.isRegular(reader.status)) {
                boolean directory = FileStatus.isDirectory(reader.status);
                reader.sys.close(fd);
                return directory ? IS_DIRECTORY : -Errno.ENXIO;
            }
            FileVersion version = FileVersion.of(reader.status);
            if (version.size() > settings.smallBytesMax()) {
                byte[] ends = readEnds(reader, fd, version.size());
                if (ends == null) {
                    reader.sys.close(fd);
                    return -Errno.EIO;
                }
                OpenFile file = new OpenFile(disk, fd);
                Disk.warmBeginning(reader, file, version.size());
                contents[at] = new Content(version, null, file, tags.of(name, version, ends));
                return 0;
            }
            byte[] bytes = reader.bytes(fd, 0, (int) version.size());
            boolean same =
                    reader.readStatus(fd) == 0 && FileVersion.of(reader.status).equals(version);
            reader.sys.close(fd);
            if (bytes == null) {
                return -Errno.EIO;
            }
            if ((same && bytes.length == version.size()) || i == READS_MAX) {
                contents[at] = new Content(version, bytes, null, null);
                return 0;
            }
        }
    }

    /** What stands in the tag of a large file; null where the disk fails. */
    private static byte[] readEnds(Reader reader, int fd, long size) {
        int length = (int) Math.min(size, LargeTags.SAMPLE_BYTES);
        byte[] first = reader.bytes(fd, 0, length);
        byte[] last = reader.bytes(fd, size - length, length);
        if (first == null || last == null) {
            return null;
        }
        byte[] both = Arrays.copyOf(first, first.length + last.length);
        System.arraycopy(last, 0, both, first.length, last.length);
        return both;
    }

    @SuppressWarnings("EnumOrdinal") // an index of arrays that have one element for each
    private Variant[] variants(String path, String name, Content[] contents, long now) {
        String type = settings.types().of(name);
        Content plain = contents[Coding.IDENTITY.ordinal()];
        int gzip = Coding.GZIP.ordinal();
        boolean gzipped = false;
        if (settings.gzip()
                && contents[gzip] == null
                && plain.bytes != null
                && plain.bytes.length >= GZIP_BYTES_MIN
                && MediaTypes.isCompressible(type.replaceFirst(";.*", ""))) {
            byte[] smaller = gzip(plain.bytes);
            gzipped = smaller.length < plain.bytes.length - plain.bytes.length / 10;
            if (gzipped) {
                contents[gzip] = new Content(plain.version, smaller, null, null);
            }
        }
        Fields general = Fields.NONE;
        String cacheControl = settings.cacheControl().of(path);
        if (cacheControl != null) {
            general = general.with(Names.CACHE_CONTROL, cacheControl);
        }
        if (Arrays.stream(contents).filter(content -> content != null).count() > 1) {
            general = general.with(Names.VARY, "Accept-Encoding");
        }
        // Of the file itself, whatever the coding: a client that compares dates means that.
        long modified = plain.version.modifiedSecond();
        boolean dateTells = plain.version.isDated() && (plain.tag == null || plain.tag.dateTells());
        if (modified > now / 1_000_000_000L || !dateTells) {
            modified = HttpDate.NONE;
        }
        Variant[] variants = new Variant[CODINGS.length];
        for (Coding coding : CODINGS) {
            int i = coding.ordinal();
            Content content = contents[i];
            if (content != null) {
                variants[i] =
                        new Variant(
                                type,
                                coding == Coding.IDENTITY ? null : coding.token(),
                                general,
                                i == gzip && gzipped ? tag(plain, "-gzip") : tag(content, ""),
                                modified,
                                plain.version.isSettled(now),
                                content.bytes == null
                                        ? content.version.size()
                                        : content.bytes.length,
                                content.bytes,
                                content.file);
            }
        }
        return variants;
    }

    /**
     * A strong entity tag (RFC 9110, section 8.8.3): of a small file by its bytes, so that it is
     * the same on every server that has them; of a large one see {@link LargeTags}.
     */
    private static String tag(Content content, String suffix) {
        if (content.tag != null) {
            return content.tag.text();
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.bytes);
            String text = Base64.getUrlEncoder().encodeToString(Arrays.copyOf(digest, 15));
            return '"' + text + suffix + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream(bytes.length);
        try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("in memory", e);
        }
        return compressed.toByteArray();
    }
}
