package io.bareloop.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Loopback;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a thread with a table of its own has, and what the others keep. */
@Timeout(60)
class DescriptorTableTest {
    private final Arena arena = Arena.ofShared();
    private final Syscalls sys = new Syscalls(arena);
    private final Loopback loopback = new Loopback(sys);

    @AfterEach
    void free() {
        loopback.close();
        arena.close();
    }

    @Test
    void theThreadHasACopyWithoutWhatIsLeft() throws Exception {
        int kept = loopback.socket();
        int left = loopback.socket();
        int opened = sys.socket(Linux.AF_INET, Linux.SOCK_STREAM, 0);
        // The classes that the thread needs are there already: it opens nothing but what it says.
        assertThat(isOpen(sys, opened)).isTrue();
        assertThat(sys.close(opened)).isZero();

        CompletableFuture<int[]> seen = new CompletableFuture<>();
        CompletableFuture<Void> end = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> {
                            Syscalls own = new Syscalls(arena);
                            int result = DescriptorTable.unshare(own, new int[] {left});
                            boolean keeps = isOpen(own, kept);
                            boolean leaves = !isOpen(own, left);
                            int another = own.socket(Linux.AF_INET, Linux.SOCK_STREAM, 0);
                            int oneMore = own.socket(Linux.AF_INET, Linux.SOCK_STREAM, 0);
                            own.close(kept);
                            seen.complete(
                                    new int[] {
                                        result, keeps ? 1 : 0, leaves ? 1 : 0, another, oneMore
                                    });
                            end.join();
                        });
        thread.start();
        int[] result = seen.get(10, TimeUnit.SECONDS);
        try {
            assertThat(result[0]).isZero();
            assertThat(result[1]).as("what it shared is there").isOne();
            assertThat(result[2]).as("what it was to leave is not").isOne();
            assertThat(isOpen(sys, kept)).as("closed in the copy, open here").isTrue();
            assertThat(isOpen(sys, left)).isTrue();
            // The number that was left is free there, and taken by the first one opened.
            assertThat(result[3]).isEqualTo(left);
            assertThat(isOpen(sys, result[4])).as("opened there, not open here").isFalse();
        } finally {
            end.complete(null);
            thread.join(10_000);
        }
    }

    @Test
    void aRefusalClosesNothing() {
        int fd = loopback.socket();
        Syscalls refusing =
                new Syscalls(arena) {
                    @Override
                    public int unshare(int flags) {
                        assertThat(flags).isEqualTo(Linux.CLONE_FILES);
                        return -Errno.EPERM;
                    }
                };
        assertThat(DescriptorTable.unshare(refusing, new int[] {fd})).isEqualTo(-Errno.EPERM);
        assertThat(isOpen(sys, fd)).isTrue();
    }

    private static boolean isOpen(Syscalls sys, int fd) {
        return sys.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_REUSEADDR) != -Errno.EBADF;
    }
}
