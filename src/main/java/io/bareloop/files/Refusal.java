package io.bareloop.files;

import io.bareloop.http.ErrorPage;
import io.bareloop.http.Fields;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Status;
import io.bareloop.sys.Errno;

/** Why a request gets no file, and the answer to it where the root has no page of its own. */
enum Refusal {
    MALFORMED(Status.BAD_REQUEST, null),
    NOT_FOUND(Status.NOT_FOUND, null),
    PRECONDITION_FAILED(Status.PRECONDITION_FAILED, null),
    FAILED(Status.INTERNAL_SERVER_ERROR, null),
    BUSY(Status.SERVICE_UNAVAILABLE, "too many files are waited for", true),
    CLOSED(Status.SERVICE_UNAVAILABLE, "files are served no longer"),
    SHORT(Status.SERVICE_UNAVAILABLE, "short of descriptors or memory", true),
    STALLED(Status.SERVICE_UNAVAILABLE, "the disk does not answer");

    private final Status status;
    private final boolean again;
    private final ErrorPage builtIn;

    Refusal(Status status, String detail) {
        this(status, detail, false);
    }

    /** {@code again} where the client may come back soon. */
    Refusal(Status status, String detail, boolean again) {
        this.status = status;
        this.again = again;
        builtIn = ErrorPage.of(status, fields(again), detail);
    }

    /** What a request is told whose file cannot be opened: -errno {@code error}. */
    static Refusal of(int error) {
        if (error == -Errno.EMFILE
                || error == -Errno.ENFILE
                || error == -Errno.ENOMEM
                || error == -Errno.EAGAIN) {
            // It says nothing about the file, and may be otherwise soon.
            return SHORT;
        }
        if (error == -Errno.EIO || error == -Errno.ESTALE) {
            return FAILED;
        }
        // ENOENT, ENOTDIR, ENAMETOOLONG: there is no such file. EXDEV, ELOOP: it is outside.
        // EACCES, EPERM, ENXIO and others: it is not for us to read, and no one is told that it is
        // there.
        return NOT_FOUND;
    }

    private static Fields fields(boolean again) {
        return again ? Fields.NONE.with(HeaderName.RETRY_AFTER, "1") : Fields.NONE;
    }

    Status status() {
        return status;
    }

    /** Of the answer, whatever its body is. */
    Fields fields() {
        return fields(again);
    }

    ErrorPage builtIn() {
        return builtIn;
    }
}
