package io.bareloop.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/**
 * One part of a {@link MultipartStream}: its head, and its content, which is read once, before the
 * next part is asked for.
 */
public final class PartStream extends Part {
    private final MultipartStream stream;
    private final int textBytesMax;
    private final InputStream content = new Content();

    /** To its end. */
    private boolean isRead;

    PartStream(Part head, MultipartStream stream, int textBytesMax) {
        super(head);
        this.stream = stream;
        this.textBytesMax = textBytesMax;
    }

    /**
     * The content, as it arrives. Its methods throw what {@link MultipartStream#next} does, and
     * IllegalStateException once the next part has been asked for. There is no need to close it.
     *
     * @return the same stream each time
     */
    public InputStream inputStream() {
        return content;
    }

    /**
     * Reads what is left of the content as UTF-8; malformed bytes are U+FFFD.
     *
     * @return the text
     * @throws HttpException with 413 where it is longer than {@link MultipartLimits#fieldBytesMax},
     *     be it of a field or of a file; else as {@link MultipartStream#next}
     * @throws IOException where the body's InputStream throws it
     */
    public String text() throws IOException {
        byte[] bytes = content.readNBytes(textBytesMax);
        if (content.read() >= 0) {
            throw new HttpException(
                    Status.CONTENT_TOO_LARGE, "a text of more than " + textBytesMax + " bytes");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /**
     * Writes what is left of the content to a new file. Where that fails the file is deleted.
     *
     * @param file a path that does not exist; make it up, or see {@link #safeFilename}
     * @return the number of bytes
     * @throws java.nio.file.FileAlreadyExistsException where there is such a file; nothing has been
     *     read then
     * @throws HttpException as {@link MultipartStream#next}
     * @throws IOException where the body's InputStream throws it, or the file system does
     */
    public long transferTo(Path file) throws IOException {
        return NewFile.write(content, file);
    }

    boolean isRead() {
        return isRead;
    }

    /** All of it has been. */
    void read() {
        isRead = true;
    }

    private final class Content extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, to.length);
            return length == 0 ? 0 : stream.read(PartStream.this, to, offset, length);
        }

        @Override
        public int available() {
            return stream.available(PartStream.this);
        }
    }
}
