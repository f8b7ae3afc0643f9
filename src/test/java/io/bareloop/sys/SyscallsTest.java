package io.bareloop.sys;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bareloop.generated.linux_h;
import io.bareloop.generated.rlimit;
import io.bareloop.rig.Loopback;
import io.bareloop.rig.OpenFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every call against the real kernel: what it does, and the errno it gives. */
@Timeout(60)
class SyscallsTest {
    private static final int BAD_FD = -1;
    private static final int BUFFER_BYTES = 64;

    /** Not in the bindings, for the server has no use for it: sends the last byte as urgent. */
    private static final int MSG_OOB = 1;

    /** Pairs of offset and length. */
    private static final int[][] WRONG_BOUNDS = {
        {0, BUFFER_BYTES + 1},
        {1, BUFFER_BYTES},
        {BUFFER_BYTES, 1},
        {-1, 1},
        {0, -1},
        {Integer.MAX_VALUE, Integer.MAX_VALUE},
        {Integer.MIN_VALUE, Integer.MIN_VALUE}
    };

    private final Arena arena = Arena.ofConfined();
    private final Syscalls sys = new Syscalls(arena);
    private final Loopback loopback = new Loopback(sys);
    private final MemorySegment buffer = arena.allocate(BUFFER_BYTES, Long.BYTES);

    private Socket peer;

    @AfterEach
    void free() {
        loopback.close();
        arena.close();
    }

    // recv

    @Test
    void recvPutsBytesAtItsOffset() throws IOException {
        int fd = connected();
        peer.getOutputStream().write("hello".getBytes(US_ASCII));
        awaitReadable(fd);
        buffer.fill((byte) '.');
        assertThat(sys.recv(fd, buffer, 3, 4)).isEqualTo(4);
        assertThat(text(9)).isEqualTo("...hell..");
        assertThat(sys.recv(fd, buffer, BUFFER_BYTES - 1, 1)).isEqualTo(1);
        assertThat(buffer.get(ValueLayout.JAVA_BYTE, BUFFER_BYTES - 1)).isEqualTo((byte) 'o');
    }

    @Test
    void recvGivesEagainOnceDrained() throws IOException {
        int fd = connected();
        assertThat(sys.recv(fd, buffer, 0, BUFFER_BYTES)).isEqualTo(-Errno.EAGAIN);
    }

    @Test
    void recvGivesZeroOnceThePeerHasClosed() throws IOException {
        int fd = connected();
        peer.close();
        awaitReadable(fd);
        assertThat(sys.recv(fd, buffer, 0, BUFFER_BYTES)).isZero();
    }

    @Test
    void recvGivesEconnresetAfterAReset() throws IOException {
        int fd = connected();
        reset(fd);
        assertThat(sys.recv(fd, buffer, 0, BUFFER_BYTES)).isEqualTo(-Errno.ECONNRESET);
    }

    @Test
    void recvRefusesWhatIsNoSocket() {
        assertThat(sys.recv(BAD_FD, buffer, 0, 1)).isEqualTo(-Errno.EBADF);
        int notASocket = loopback.keep(sys.eventfd(0, Linux.EFD_CLOEXEC));
        assertThat(sys.recv(notASocket, buffer, 0, 1)).isEqualTo(-Errno.ENOTSOCK);
    }

    @Test
    void recvChecksItsBoundsFirst() throws IOException {
        int fd = connected();
        peer.getOutputStream().write("hello".getBytes(US_ASCII));
        awaitReadable(fd);
        for (int[] wrong : WRONG_BOUNDS) {
            assertThatThrownBy(() -> sys.recv(fd, buffer, wrong[0], wrong[1]))
                    .as(Arrays.toString(wrong))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThat(sys.recv(fd, buffer, 0, BUFFER_BYTES)).as("none was taken").isEqualTo(5);
    }

    // files

    @Test
    void openat2StaysBeneath() {
        int tmp = loopback.keep(sys.openat(Linux.AT_FDCWD, c("/tmp"), Linux.O_PATH));
        int beneath = Linux.RESOLVE_BENEATH;
        assertThat(loopback.keep(sys.openat2(tmp, c("."), Linux.O_DIRECTORY, beneath)))
                .isPositive();
        assertThat(sys.openat2(tmp, c(".."), Linux.O_PATH, beneath)).isEqualTo(-Errno.EXDEV);
        assertThat(sys.openat2(tmp, c("/etc/passwd"), Linux.O_RDONLY, beneath))
                .isEqualTo(-Errno.EXDEV);
        assertThat(sys.openat2(tmp, c("no such file"), Linux.O_RDONLY, beneath))
                .isEqualTo(-Errno.ENOENT);
        assertThat(sys.openat2(BAD_FD, c("."), Linux.O_PATH, beneath)).isEqualTo(-Errno.EBADF);
    }

    @Test
    void openatOpensWhatIsThere() {
        assertThat(loopback.keep(sys.openat(Linux.AT_FDCWD, c("/dev/null"), Linux.O_RDONLY)))
                .isPositive();
        assertThat(sys.openat(Linux.AT_FDCWD, c("/no/such"), Linux.O_RDONLY))
                .isEqualTo(-Errno.ENOENT);
        assertThat(sys.openat(Linux.AT_FDCWD, c("/dev/null/x"), Linux.O_RDONLY))
                .isEqualTo(-Errno.ENOTDIR);
    }

    @Test
    void statxAgreesWithTheJdk() throws IOException {
        Path file = Files.writeString(Files.createTempFile("statx", null), "12345");
        try {
            MemorySegment status = arena.allocate(FileStatus.BYTES);
            int fd = loopback.keep(sys.openat(Linux.AT_FDCWD, c(file.toString()), Linux.O_PATH));
            assertThat(sys.statx(fd, status)).isZero();
            assertThat(FileStatus.isRegular(status)).isTrue();
            assertThat(FileStatus.isDirectory(status)).isFalse();
            assertThat(FileStatus.size(status)).isEqualTo(5);
            assertThat(FileStatus.inode(status)).isEqualTo(Files.getAttribute(file, "unix:ino"));
            assertThat(FileStatus.modifiedNanos(status))
                    .isEqualTo(Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS));
            assertThat(FileStatus.changedNanos(status)).isPositive();
            assertThat(FileStatus.device(status)).isPositive();
            int directory = loopback.keep(sys.openat(Linux.AT_FDCWD, c("/"), Linux.O_PATH));
            assertThat(sys.statx(directory, status)).isZero();
            assertThat(FileStatus.isDirectory(status)).isTrue();
            assertThat(sys.statx(BAD_FD, status)).isEqualTo(-Errno.EBADF);
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void filesAreReadAndSent() throws IOException {
        Path file = Files.writeString(Files.createTempFile("pread", null), "0123456789");
        try {
            int fd = loopback.keep(sys.openat(Linux.AT_FDCWD, c(file.toString()), Linux.O_RDONLY));
            buffer.fill((byte) '.');
            assertThat(sys.pread(fd, buffer, 2, 4, 3)).isEqualTo(4);
            assertThat(text(8)).isEqualTo("..3456..");
            assertThat(sys.pread(fd, buffer, 0, 4, 10)).isZero();
            assertThat(sys.pread(BAD_FD, buffer, 0, 4, 0)).isEqualTo(-Errno.EBADF);
            assertThatThrownBy(() -> sys.pread(fd, buffer, 1, BUFFER_BYTES, 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            // Just written, or a file system that cannot say.
            assertThat(sys.preadv2Nowait(fd, 9)).isIn(1, -Errno.EOPNOTSUPP);
            assertThat(sys.preadv2Nowait(fd, 10)).isIn(0, -Errno.EOPNOTSUPP);
            assertThat(sys.preadv2Nowait(BAD_FD, 0)).isEqualTo(-Errno.EBADF);

            int socket = connected();
            assertThat(sys.sendfile(socket, fd, 4, 100)).isEqualTo(6);
            assertThat(peer.getInputStream().readNBytes(6)).isEqualTo("456789".getBytes(US_ASCII));
            assertThat(sys.sendfile(socket, fd, 10, 100)).isZero();
            assertThat(sys.sendfile(socket, BAD_FD, 0, 1)).isEqualTo(-Errno.EBADF);
            assertThat(sys.pread(fd, buffer, 0, 1, 0)).as("its position stays").isEqualTo(1);
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void dup3TakesTheNumber() {
        int one = loopback.keep(sys.openat(Linux.AT_FDCWD, c("/"), Linux.O_PATH));
        int other = loopback.keep(sys.openat(Linux.AT_FDCWD, c("/dev/null"), Linux.O_RDONLY));
        assertThat(sys.dup3(other, one, Linux.O_CLOEXEC)).isEqualTo(one);
        assertThat(sys.pread(one, buffer, 0, 1, 0)).isZero();
        assertThat(sys.dup3(BAD_FD, one, 0)).isEqualTo(-Errno.EBADF);
    }

    @Test
    void getdents64NamesWhatIsThere() {
        int fd = loopback.keep(sys.openat(Linux.AT_FDCWD, c("/"), Linux.O_RDONLY));
        MemorySegment entries = arena.allocate(64 << 10, Long.BYTES);
        int bytes = sys.getdents64(fd, entries);
        assertThat(bytes).isPositive();
        boolean tmp = false;
        for (int at = 0; at < bytes; at += DirectoryEntries.length(entries, at)) {
            if (new String(DirectoryEntries.name(entries, at), US_ASCII).equals("tmp")) {
                tmp = DirectoryEntries.isDirectory(entries, at);
            }
        }
        assertThat(tmp).isTrue();
        assertThat(sys.getdents64(fd, entries)).isZero();
        assertThat(sys.getdents64(BAD_FD, entries)).isEqualTo(-Errno.EBADF);
    }

    private MemorySegment c(String path) {
        return arena.allocateFrom(path);
    }

    // send

    @Test
    void sendTakesBytesFromItsOffset() throws IOException {
        int fd = connected();
        put("0123456789");
        assertThat(sys.send(fd, buffer, 3, 4, 0)).isEqualTo(4);
        assertThat(peer.getInputStream().readNBytes(4)).isEqualTo("3456".getBytes(US_ASCII));
    }

    /** Urgent data is what the flag can be seen by: Java reads past it. */
    @Test
    void sendPassesFlagsOn() throws IOException {
        int fd = connected();
        put("ab");
        assertThat(sys.send(fd, buffer, 0, 2, MSG_OOB)).isEqualTo(2);
        assertThat(sys.shutdown(fd, Linux.SHUT_WR)).isZero();
        assertThat(peer.getInputStream().readAllBytes()).isEqualTo("a".getBytes(US_ASCII));
    }

    @Test
    void sendGivesEagainWhenThePeerDoesNotRead() throws IOException {
        int fd = connected();
        int size = 1 << 16;
        MemorySegment large = arena.allocate(size);
        long taken = 0;
        int n = 0;
        // Between them the two ends hold some megabytes: tcp_wmem and tcp_rmem.
        for (int i = 0; i < 10_000 && n >= 0; i++) {
            n = sys.send(fd, large, 0, size, 0);
            taken += Math.max(n, 0);
        }
        assertThat(n).isEqualTo(-Errno.EAGAIN);
        assertThat(sys.shutdown(fd, Linux.SHUT_WR)).isZero();
        assertThat(drained(peer)).isEqualTo(taken);
    }

    @Test
    void sendGivesEpipeAndRaisesNoSignal() throws Exception {
        int fd = connected();
        assertThat(sys.shutdown(fd, Linux.SHUT_WR)).isZero();
        int raised =
                countingSigpipe(
                        () -> {
                            for (int i = 0; i < 50; i++) {
                                assertThat(sys.send(fd, buffer, 0, 1, 0)).isEqualTo(-Errno.EPIPE);
                                assertThat(sys.send(fd, buffer, 0, 1, linux_h.MSG_MORE()))
                                        .isEqualTo(-Errno.EPIPE);
                            }
                            return null;
                        });
        assertThat(raised).isZero();
    }

    @Test
    void sendTellsOfAResetThenOfTheClosedPeer() throws IOException {
        int fd = connected();
        reset(fd);
        assertThat(sys.send(fd, buffer, 0, 1, 0)).isEqualTo(-Errno.ECONNRESET);
        assertThat(sys.send(fd, buffer, 0, 1, 0)).isEqualTo(-Errno.EPIPE);
    }

    @Test
    void sendRefusesWhatIsNoConnection() {
        assertThat(sys.send(BAD_FD, buffer, 0, 1, 0)).isEqualTo(-Errno.EBADF);
        int notASocket = loopback.keep(sys.eventfd(0, Linux.EFD_CLOEXEC));
        assertThat(sys.send(notASocket, buffer, 0, 1, 0)).isEqualTo(-Errno.ENOTSOCK);
        assertThat(sys.send(loopback.socket(), buffer, 0, 1, 0)).isEqualTo(-Errno.EPIPE);
    }

    @Test
    void sendChecksItsBoundsFirst() throws IOException {
        int fd = connected();
        for (int[] wrong : WRONG_BOUNDS) {
            assertThatThrownBy(() -> sys.send(fd, buffer, wrong[0], wrong[1], 0))
                    .as(Arrays.toString(wrong))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThat(sys.shutdown(fd, Linux.SHUT_WR)).isZero();
        assertThat(peer.getInputStream().readAllBytes()).as("none was sent").isEmpty();
    }

    @Test
    void writevSendsBoth() throws IOException {
        int fd = connected();
        MemorySegment head = arena.allocateFrom("head: ");
        MemorySegment body = arena.allocateFrom("a body");
        assertThat(sys.writev(fd, head, 0, 6, body, 2, 4)).isEqualTo(10);
        assertThat(sys.writev(fd, head, 0, 0, body, 0, 6)).isEqualTo(6);
        assertThat(sys.writev(fd, head, 2, 3, body, 0, 1)).isEqualTo(4);
        assertThat(peer.getInputStream().readNBytes(20))
                .isEqualTo("head: bodya bodyad:a".getBytes(US_ASCII));
        assertThat(sys.writev(BAD_FD, head, 0, 6, body, 0, 6)).isEqualTo(-Errno.EBADF);
        MemorySegment large = arena.allocate(64 << 20);
        int sent = sys.writev(fd, head, 0, 6, large, 0, 64 << 20);
        assertThat(sent).isBetween(6, 64 << 20);
        assertThat(sys.writev(fd, head, 0, 6, large, 0, 64 << 20)).isEqualTo(-Errno.EAGAIN);
        reset(fd);
        // The first call after it hears of the reset, the others of the end.
        assertThat(sys.writev(fd, head, 0, 6, body, 0, 6)).isIn(-Errno.ECONNRESET, -Errno.EPIPE);
        assertThat(sys.writev(fd, head, 0, 6, body, 0, 6)).isEqualTo(-Errno.EPIPE);
    }

    /** Memory that is not there any more, or not for this thread, is not sent. */
    @Test
    void writevChecksItsMemoryFirst() throws Exception {
        int fd = connected();
        for (int[] wrong : WRONG_BOUNDS) {
            assertThatThrownBy(
                            () -> sys.writev(fd, buffer, 0, wrong[1], buffer, wrong[0], wrong[1]))
                    .as(Arrays.toString(wrong))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> sys.writev(fd, buffer, wrong[0], wrong[1], buffer, 0, 1))
                    .as("head " + Arrays.toString(wrong))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
        for (Arena closed : new Arena[] {Arena.ofConfined(), Arena.ofShared()}) {
            MemorySegment body = closed.allocate(10);
            closed.close();
            assertThatThrownBy(() -> sys.writev(fd, buffer, 0, 1, body, 0, 10))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("Already closed");
        }
        FutureTask<MemorySegment> of = new FutureTask<>(() -> Arena.ofConfined().allocate(10));
        Thread.ofPlatform().start(of).join();
        MemorySegment others = of.get();
        assertThatThrownBy(() -> sys.writev(fd, buffer, 0, 1, others, 0, 10))
                .isInstanceOf(WrongThreadException.class);
        MemorySegment array = MemorySegment.ofArray(new byte[10]);
        assertThatThrownBy(() -> sys.writev(fd, buffer, 0, 1, array, 0, 10))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(sys.shutdown(fd, Linux.SHUT_WR)).isZero();
        assertThat(peer.getInputStream().readAllBytes()).as("none was sent").isEmpty();
    }

    // epoll

    @Test
    void epollReportsWhatWasAddedUntilItIsRemoved() {
        int epoll = epoll();
        int fd = eventfd(1);
        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, fd, Linux.EPOLLIN, 7)).isZero();
        assertThat(sys.epollWait(epoll, buffer, 0)).isEqualTo(1);
        assertThat(EpollEvents.data(buffer, 0)).isEqualTo(7);
        assertThat(EpollEvents.events(buffer, 0)).isEqualTo(Linux.EPOLLIN);

        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_MOD, fd, Linux.EPOLLOUT, 8)).isZero();
        assertThat(sys.epollWait(epoll, buffer, 0)).isEqualTo(1);
        assertThat(EpollEvents.data(buffer, 0)).isEqualTo(8);
        assertThat(EpollEvents.events(buffer, 0)).isEqualTo(Linux.EPOLLOUT);

        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_DEL, fd, 0, 0)).isZero();
        assertThat(sys.epollWait(epoll, buffer, 0)).isZero();
    }

    @Test
    void epollWaitEndsAfterItsTimeout() {
        int epoll = epoll();
        long start = System.nanoTime();
        assertThat(sys.epollWait(epoll, buffer, 30)).isZero();
        assertThat(System.nanoTime() - start).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(29));
    }

    @Test
    void epollWaitRefusesWhatIsNoEpoll() {
        assertThat(sys.epollWait(BAD_FD, buffer, 0)).isEqualTo(-Errno.EBADF);
        assertThat(sys.epollWait(eventfd(0), buffer, 0)).isEqualTo(-Errno.EINVAL);
        MemorySegment tooSmall = buffer.asSlice(0, EpollEvents.BYTES - 1);
        assertThat(sys.epollWait(epoll(), tooSmall, 0)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void epollCtlGivesTheReasonOfARefusal() {
        int epoll = epoll();
        int fd = eventfd(0);
        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_MOD, fd, 0, 0)).isEqualTo(-Errno.ENOENT);
        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, fd, 0, 0)).isZero();
        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, fd, 0, 0)).isEqualTo(-Errno.EEXIST);
        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, epoll, 0, 0)).isEqualTo(-Errno.EINVAL);
        assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, BAD_FD, 0, 0)).isEqualTo(-Errno.EBADF);
        assertThat(sys.epollCtl(BAD_FD, Linux.EPOLL_CTL_ADD, fd, 0, 0)).isEqualTo(-Errno.EBADF);
    }

    @Test
    void epollCreate1TakesItsFlag() {
        assertThat(OpenFiles.isCloseOnExec(epoll())).isTrue();
        assertThat(OpenFiles.isCloseOnExec(loopback.keep(sys.epollCreate1(0)))).isFalse();
        assertThat(sys.epollCreate1(-1)).isEqualTo(-Errno.EINVAL);
    }

    // sockets

    @Test
    void accept4TakesItsFlags() throws IOException {
        int listener = loopback.listener();
        assertThat(sys.accept4(listener, 0)).isEqualTo(-Errno.EAGAIN);
        for (int flags : new int[] {0, Linux.SOCK_NONBLOCK, Linux.SOCK_CLOEXEC}) {
            peer = loopback.connect(loopback.port(listener));
            assertThat(loopback.await(listener, Linux.EPOLLIN)).isEqualTo(Linux.EPOLLIN);
            int fd = loopback.keep(sys.accept4(listener, flags));
            assertThat(OpenFiles.isNonBlocking(fd)).isEqualTo(flags == Linux.SOCK_NONBLOCK);
            assertThat(OpenFiles.isCloseOnExec(fd)).isEqualTo(flags == Linux.SOCK_CLOEXEC);
        }
    }

    @Test
    void accept4RefusesWhatIsNoListener() {
        assertThat(sys.accept4(BAD_FD, 0)).isEqualTo(-Errno.EBADF);
        assertThat(sys.accept4(eventfd(0), 0)).isEqualTo(-Errno.ENOTSOCK);
        assertThat(sys.accept4(loopback.socket(), 0)).isEqualTo(-Errno.EINVAL);
        assertThat(sys.accept4(loopback.listener(), -1)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void closeClosesOnce() throws IOException {
        int fd = connected();
        loopback.close(fd);
        assertThat(peer.getInputStream().read()).isEqualTo(-1);
        assertThat(sys.close(BAD_FD)).isEqualTo(-Errno.EBADF);
    }

    @Test
    void shutdownEndsOneDirection() throws IOException {
        int fd = connected();
        assertThat(sys.shutdown(fd, Linux.SHUT_WR)).isZero();
        assertThat(peer.getInputStream().read()).isEqualTo(-1);
        peer.getOutputStream().write('x');
        awaitReadable(fd);
        assertThat(sys.recv(fd, buffer, 0, 1)).isEqualTo(1);

        assertThat(sys.shutdown(BAD_FD, Linux.SHUT_WR)).isEqualTo(-Errno.EBADF);
        assertThat(sys.shutdown(loopback.socket(), Linux.SHUT_WR)).isEqualTo(-Errno.ENOTCONN);
        assertThat(sys.shutdown(fd, 99)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void socketTakesItsFlagsAndRefusesOthers() {
        int bare = loopback.keep(sys.socket(Linux.AF_INET, Linux.SOCK_STREAM, 0));
        assertThat(OpenFiles.isNonBlocking(bare)).isFalse();
        assertThat(OpenFiles.isCloseOnExec(bare)).isFalse();
        int full = loopback.socket();
        assertThat(OpenFiles.isNonBlocking(full)).isTrue();
        assertThat(OpenFiles.isCloseOnExec(full)).isTrue();
        assertThat(sys.socket(9999, Linux.SOCK_STREAM, 0)).isEqualTo(-Errno.EAFNOSUPPORT);
        assertThat(sys.socket(Linux.AF_INET, Linux.SOCK_STREAM, 17))
                .isEqualTo(-Errno.EPROTONOSUPPORT);
    }

    @Test
    void bindGivesTheReasonOfARefusal() {
        int port = loopback.port(loopback.listener());
        assertThat(loopback.bind(loopback.socket(), port)).isEqualTo(-Errno.EADDRINUSE);
        assertThat(loopback.bind(BAD_FD, 0)).isEqualTo(-Errno.EBADF);

        int length = Sockaddr.write(buffer, Loopback.ipv4Loopback(), 0);
        int fd = loopback.socket();
        assertThat(sys.bind(fd, buffer, length - 1)).isEqualTo(-Errno.EINVAL);
        for (int wrong : new int[] {-1, BUFFER_BYTES + 1}) {
            assertThatThrownBy(() -> sys.bind(fd, buffer, wrong))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThat(loopback.port(fd)).as("not bound by any of these").isZero();
    }

    @Test
    void listenRefusesWhatCannotListen() throws IOException {
        assertThat(sys.listen(BAD_FD, 1)).isEqualTo(-Errno.EBADF);
        assertThat(sys.listen(eventfd(0), 1)).isEqualTo(-Errno.ENOTSOCK);
        assertThat(sys.listen(connected(), 1)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void getsocknameGivesTheAddressBound() throws IOException {
        int listener = loopback.listener();
        buffer.fill((byte) 0xEE);
        assertThat(sys.getsockname(listener, buffer)).isZero();
        assertThat(Sockaddr.address(buffer)).isEqualTo(Loopback.ipv4Loopback());
        peer = loopback.connect(Sockaddr.port(buffer));
        assertThat(peer.getPort()).isEqualTo(loopback.port(listener));

        assertThat(sys.getsockname(BAD_FD, buffer)).isEqualTo(-Errno.EBADF);
        assertThat(sys.getsockname(eventfd(0), buffer)).isEqualTo(-Errno.ENOTSOCK);
    }

    /** A buffer that is too small gets the first part; the bytes behind it stay. */
    @Test
    void getsocknameStaysInItsBuffer() {
        buffer.fill((byte) 0xEE);
        assertThat(sys.getsockname(loopback.listener(), buffer.asSlice(0, 4))).isZero();
        assertThat(Sockaddr.port(buffer)).isPositive();
        for (int i = 4; i < BUFFER_BYTES; i++) {
            assertThat(buffer.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) 0xEE);
        }
    }

    @Test
    void getpeernameGivesTheAddressOfTheOtherEnd() throws IOException {
        int fd = connected();
        buffer.fill((byte) 0xEE);
        assertThat(sys.getpeername(fd, buffer)).isZero();
        assertThat(Sockaddr.address(buffer)).isEqualTo(Loopback.ipv4Loopback());
        assertThat(Sockaddr.port(buffer)).isEqualTo(peer.getLocalPort());
        assertThat(Sockaddr.addressBytes(buffer)).isEqualTo(4);
        assertThat(buffer.get(ValueLayout.JAVA_BYTE, Sockaddr.addressOffset(buffer)))
                .isEqualTo((byte) 127);

        assertThat(sys.getpeername(loopback.listener(), buffer)).isEqualTo(-Errno.ENOTCONN);
        assertThat(sys.getpeername(BAD_FD, buffer)).isEqualTo(-Errno.EBADF);
    }

    // options

    @Test
    void optionsOfIntKeepTheirValue() {
        int fd = loopback.socket();
        int[][] options = {
            {Linux.IPPROTO_TCP, Linux.TCP_NODELAY, 1},
            {Linux.SOL_SOCKET, Linux.SO_KEEPALIVE, 1},
            {Linux.SOL_SOCKET, Linux.SO_REUSEPORT, 1},
            {Linux.IPPROTO_TCP, linux_h.TCP_DEFER_ACCEPT(), 7},
            {Linux.SOL_SOCKET, linux_h.SO_INCOMING_CPU(), 0}
        };
        for (int[] option : options) {
            assertThat(sys.setsockopt(fd, option[0], option[1], option[2])).isZero();
            assertThat(sys.getsockopt(fd, option[0], option[1]))
                    .as(Arrays.toString(option))
                    .isEqualTo(option[2]);
        }
        // The kernel doubles it: more than a byte of the value arrives, and comes back.
        assertThat(sys.setsockopt(fd, Linux.SOL_SOCKET, linux_h.SO_RCVBUF(), 10_000)).isZero();
        assertThat(sys.getsockopt(fd, Linux.SOL_SOCKET, linux_h.SO_RCVBUF())).isEqualTo(20_000);
    }

    @Test
    void optionsGiveTheReasonOfARefusal() {
        int fd = loopback.socket();
        assertThat(sys.setsockopt(fd, Linux.SOL_SOCKET, 9999, 1)).isEqualTo(-Errno.ENOPROTOOPT);
        assertThat(sys.getsockopt(fd, Linux.SOL_SOCKET, 9999)).isEqualTo(-Errno.ENOPROTOOPT);
        assertThat(sys.setsockopt(BAD_FD, Linux.SOL_SOCKET, Linux.SO_KEEPALIVE, 1))
                .isEqualTo(-Errno.EBADF);
        assertThat(sys.getsockopt(BAD_FD, Linux.SOL_SOCKET, Linux.SO_KEEPALIVE))
                .isEqualTo(-Errno.EBADF);
        assertThat(sys.getsockopt(eventfd(0), Linux.SOL_SOCKET, Linux.SO_KEEPALIVE))
                .isEqualTo(-Errno.ENOTSOCK);
    }

    @Test
    void optionsOfText() {
        int fd = loopback.socket();
        // Every kernel has reno. The bytes behind the length are none of the name.
        put("renoXX");
        assertThat(sys.setsockopt(fd, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION, buffer, 4)).isZero();
        assertThat(sys.getsockoptText(fd, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION))
                .isEqualTo("reno");

        put("nosuch");
        assertThat(sys.setsockopt(fd, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION, buffer, 6))
                .isEqualTo(-Errno.ENOENT);
        assertThat(sys.getsockoptText(fd, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION))
                .isEqualTo("reno");
        assertThat(sys.getsockoptText(BAD_FD, Linux.IPPROTO_TCP, Linux.TCP_CONGESTION)).isNull();
        assertThat(sys.getsockoptText(fd, Linux.IPPROTO_TCP, 9999)).isNull();
        for (int wrong : new int[] {-1, BUFFER_BYTES + 1}) {
            assertThatThrownBy(
                            () ->
                                    sys.setsockopt(
                                            fd,
                                            Linux.IPPROTO_TCP,
                                            Linux.TCP_CONGESTION,
                                            buffer,
                                            wrong))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    /** Each branch of a jump, and the operand: an instruction's four fields, through the kernel. */
    @Test
    void attachReuseportFilterPacksInstructionsAsTheKernelReadsThem() throws IOException {
        long loadFive = 5L << 32;
        long ifFiveSkipOne = 5L << 32 | 1L << 16 | 0x15;
        long ifNotFiveSkipOne = 5L << 32 | 1L << 24 | 0x15;
        long returnFirst = 0x06;
        long returnSecond = 1L << 32 | 0x06;

        assertThat(listenerPickedBy(returnFirst)).isZero();
        assertThat(listenerPickedBy(returnSecond)).isEqualTo(1);
        assertThat(listenerPickedBy(loadFive, ifFiveSkipOne, returnFirst, returnSecond))
                .isEqualTo(1);
        assertThat(listenerPickedBy(loadFive, ifNotFiveSkipOne, returnFirst, returnSecond))
                .isZero();
    }

    @Test
    void attachReuseportFilterGivesTheReasonOfARefusal() {
        long[] good = {0x06};
        int outsideAnyGroup = loopback.socket();
        assertThat(sys.attachReuseportFilter(outsideAnyGroup, good)).isEqualTo(-Errno.EINVAL);
        int member = loopback.socket();
        assertThat(sys.setsockopt(member, Linux.SOL_SOCKET, Linux.SO_REUSEPORT, 1)).isZero();
        long[] withoutReturn = {5L << 32};
        assertThat(sys.attachReuseportFilter(member, withoutReturn)).isEqualTo(-Errno.EINVAL);
        assertThat(sys.attachReuseportFilter(member, new long[0])).isEqualTo(-Errno.EINVAL);
        assertThat(sys.attachReuseportFilter(member, good)).isZero();
        assertThat(sys.attachReuseportFilter(BAD_FD, good)).isEqualTo(-Errno.EBADF);
    }

    // eventfd

    @Test
    void eventfdAddsUpAndResets() throws Exception {
        int fd = eventfd(3);
        assertThat(OpenFiles.eventfdCount(fd)).isEqualTo(3);
        assertThat(sys.eventfdWrite(fd, 1L << 40)).isEqualTo(8);
        assertThat(onOwnThread(() -> new Syscalls(Arena.ofAuto()).eventfdWrite(fd, 0x1234_5678L)))
                .isEqualTo(8);
        assertThat(OpenFiles.eventfdCount(fd)).isEqualTo((1L << 40) + 0x1234_5678L + 3);
        assertThat(sys.eventfdRead(fd)).isEqualTo(8);
        assertThat(OpenFiles.eventfdCount(fd)).isZero();
        assertThat(sys.eventfdRead(fd)).isEqualTo(-Errno.EAGAIN);
    }

    @Test
    void eventfdWriteGivesEagainOnceFull() {
        int fd = eventfd(0);
        long greatest = -2L;
        assertThat(sys.eventfdWrite(fd, greatest)).isEqualTo(8);
        assertThat(sys.eventfdWrite(fd, 1)).isEqualTo(-Errno.EAGAIN);
        assertThat(OpenFiles.eventfdCount(fd)).isEqualTo(greatest);
        assertThat(sys.eventfdWrite(fd, -1L)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void eventfdTakesItsFlagsAndRefusesOthers() {
        int both = eventfd(0);
        assertThat(OpenFiles.isNonBlocking(both)).isTrue();
        assertThat(OpenFiles.isCloseOnExec(both)).isTrue();
        assertThat(OpenFiles.isNonBlocking(loopback.keep(sys.eventfd(0, 0)))).isFalse();
        assertThat(sys.eventfd(0, -1)).isEqualTo(-Errno.EINVAL);
        assertThat(sys.eventfdRead(BAD_FD)).isEqualTo(-Errno.EBADF);
        assertThat(sys.eventfdWrite(BAD_FD, 1)).isEqualTo(-Errno.EBADF);
    }

    // CPUs and limits

    @Test
    void affinityGoesThereAndBack() throws Exception {
        BitSet before = affinity();
        assertThat(before.cardinality()).isPositive();
        onOwnThread(
                () -> {
                    try (Arena memory = Arena.ofConfined()) {
                        Syscalls own = new Syscalls(memory);
                        BitSet seen = new BitSet();
                        for (int cpu : before.stream().toArray()) {
                            BitSet one = new BitSet();
                            one.set(cpu);
                            assertThat(own.schedSetaffinity(0, one)).isZero();
                            // What the set holds before does not stay in it.
                            seen.set(0, 2000);
                            assertThat(own.schedGetaffinity(seen)).isZero();
                            assertThat(seen).isEqualTo(one);
                            assertThat(linux_h.sched_getcpu()).isEqualTo(cpu);
                        }
                        assertThat(own.schedSetaffinity(0, before)).isZero();
                        assertThat(own.schedGetaffinity(seen)).isZero();
                        assertThat(seen).isEqualTo(before);
                    }
                    return null;
                });
        assertThat(affinity()).as("of this thread").isEqualTo(before);
    }

    @Test
    void affinityToNoCpuIsRefused() throws Exception {
        BitSet before = affinity();
        BitSet impossible = new BitSet();
        assertThat(sys.schedSetaffinity(0, impossible)).isEqualTo(-Errno.EINVAL);
        // The last that cpu_set_t has a bit for, and the first that it has none for.
        for (int cpu : new int[] {1023, 1024, 100_000}) {
            assumeTrue(!before.get(cpu), "a machine of more than a thousand CPUs");
            impossible.clear();
            impossible.set(cpu);
            assertThat(sys.schedSetaffinity(0, impossible))
                    .as("CPU " + cpu)
                    .isEqualTo(-Errno.EINVAL);
        }
        assertThat(affinity()).isEqualTo(before);
    }

    /** The JVM raises it at start too, so it is lowered first. */
    @Test
    void raiseDescriptorLimitGoesToTheHardLimit() throws IOException {
        MemorySegment limit = rlimit.allocate(arena);
        assertThat(linux_h.getrlimit(Linux.RLIMIT_NOFILE, limit)).isZero();
        long hard = rlimit.rlim_max(limit);
        assumeTrue(hard > 256, "a hard limit of " + hard + " is too low to lower the soft one");
        rlimit.rlim_cur(limit, hard - 1);
        assertThat(linux_h.setrlimit(Linux.RLIMIT_NOFILE, limit)).isZero();
        assertThat(softDescriptorLimit()).isEqualTo(hard - 1);

        assertThat(sys.raiseDescriptorLimit()).isEqualTo(hard);
        assertThat(softDescriptorLimit()).isEqualTo(hard);
    }

    /** What is written comes back in its own fields where the kernel knows the call: Linux 6.9. */
    @Test
    void ioctlSetsAndReadsEpollParameters() {
        int epoll = epoll();
        MemorySegment params = buffer.asSlice(0, RecentLinux.EPOLL_PARAMS_BYTES).fill((byte) 0);
        params.set(ValueLayout.JAVA_INT, RecentLinux.EPOLL_PARAMS_USECS_OFFSET, 70_001);
        params.set(ValueLayout.JAVA_SHORT, RecentLinux.EPOLL_PARAMS_BUDGET_OFFSET, (short) 33);
        params.set(ValueLayout.JAVA_BYTE, RecentLinux.EPOLL_PARAMS_PREFER_OFFSET, (byte) 1);
        byte[] written = params.toArray(ValueLayout.JAVA_BYTE);
        int result = sys.ioctl(epoll, RecentLinux.EPIOCSPARAMS, params);
        assertThat(result).isIn(0, -Errno.ENOTTY);
        assumeTrue(result == 0, "EPIOCSPARAMS is new in Linux 6.9");

        params.fill((byte) 0xEE);
        assertThat(sys.ioctl(epoll, RecentLinux.EPIOCGPARAMS, params)).isZero();
        assertThat(params.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(written);
        // The kernel takes 0 and 1 for "prefer": so that is what stands at its offset.
        params.set(ValueLayout.JAVA_BYTE, RecentLinux.EPOLL_PARAMS_PREFER_OFFSET, (byte) 2);
        assertThat(sys.ioctl(epoll, RecentLinux.EPIOCSPARAMS, params)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void ioctlGivesTheReasonOfARefusal() {
        assertThat(sys.ioctl(BAD_FD, RecentLinux.EPIOCSPARAMS, buffer)).isEqualTo(-Errno.EBADF);
        assertThat(sys.ioctl(loopback.socket(), RecentLinux.EPIOCSPARAMS, buffer))
                .isEqualTo(-Errno.ENOTTY);
    }

    private int connected() throws IOException {
        int listener = loopback.listener();
        peer = loopback.connect(loopback.port(listener));
        return loopback.accept(listener);
    }

    /** Has the peer reset the connection, and waits until {@code fd} knows. */
    private void reset(int fd) throws IOException {
        peer.setSoLinger(true, 0);
        peer.close();
        assertThat(loopback.await(fd, Linux.EPOLLIN) & Linux.EPOLLERR).isEqualTo(Linux.EPOLLERR);
    }

    private void awaitReadable(int fd) {
        assertThat(loopback.await(fd, Linux.EPOLLIN) & Linux.EPOLLIN).isEqualTo(Linux.EPOLLIN);
    }

    private int epoll() {
        return loopback.keep(sys.epollCreate1(Linux.EPOLL_CLOEXEC));
    }

    private int eventfd(int initial) {
        return loopback.keep(sys.eventfd(initial, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC));
    }

    private void put(String text) {
        MemorySegment.copy(
                text.getBytes(US_ASCII), 0, buffer, ValueLayout.JAVA_BYTE, 0, text.length());
    }

    private String text(int length) {
        return new String(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), US_ASCII);
    }

    private static long drained(Socket socket) throws IOException {
        byte[] bytes = new byte[1 << 16];
        long total = 0;
        for (int n = 0; n >= 0; n = socket.getInputStream().read(bytes)) {
            total += n;
        }
        return total;
    }

    /** The index of the listener, of two, that gets the next connection. */
    private int listenerPickedBy(long... program) throws IOException {
        int[] listeners = new int[2];
        int port = 0;
        for (int i = 0; i < listeners.length; i++) {
            int fd = loopback.socket();
            assertThat(sys.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_REUSEPORT, 1)).isZero();
            assertThat(loopback.bind(fd, port)).isZero();
            assertThat(sys.listen(fd, 16)).isZero();
            port = loopback.port(fd);
            listeners[i] = fd;
        }
        assertThat(sys.attachReuseportFilter(listeners[0], program)).isZero();
        peer = loopback.connect(port);
        int epoll = epoll();
        for (int i = 0; i < listeners.length; i++) {
            assertThat(sys.epollCtl(epoll, Linux.EPOLL_CTL_ADD, listeners[i], Linux.EPOLLIN, i))
                    .isZero();
        }
        assertThat(sys.epollWait(epoll, buffer, Loopback.WAIT_MILLIS)).isEqualTo(1);
        return (int) EpollEvents.data(buffer, 0);
    }

    private BitSet affinity() {
        BitSet cpus = new BitSet();
        assertThat(sys.schedGetaffinity(cpus)).isZero();
        return cpus;
    }

    private static long softDescriptorLimit() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
            if (line.startsWith("Max open files")) {
                return Long.parseLong(
                        line.substring("Max open files".length()).strip().split(" ", 2)[0]);
            }
        }
        throw new AssertionError("no limit of open files in /proc/self/limits");
    }

    private static <T> T onOwnThread(Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(task, "syscalls-test");
        thread.setDaemon(true);
        thread.start();
        return task.get(Loopback.WAIT_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * Runs {@code work} and tells how many SIGPIPE it raised. The JVM swallows them, so that none
     * would show; a handler is asked instead. By reflection, for javac warns of sun.misc whatever
     * one tells it.
     */
    private static int countingSigpipe(Callable<Void> work) throws Exception {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        AtomicInteger count = new AtomicInteger();
        Object counting =
                Proxy.newProxyInstance(
                        handler.getClassLoader(),
                        new Class<?>[] {handler},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("handle")) {
                                count.incrementAndGet();
                                return null;
                            }
                            return method.getName().equals("hashCode") ? (Object) 1 : "counting";
                        });
        Object pipe = signal.getConstructor(String.class).newInstance("PIPE");
        Object before = signal.getMethod("handle", signal, handler).invoke(null, pipe, counting);
        try {
            work.call();
            // Handlers run later, on a thread of the JVM's. One of our own, behind all others,
            // tells that they have been; it is not counted.
            signal.getMethod("raise", signal).invoke(null, pipe);
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Loopback.WAIT_MILLIS);
            while (count.get() == 0 && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            assertThat(count.get()).as("the signal raised here was seen").isPositive();
            return count.get() - 1;
        } finally {
            signal.getMethod("handle", signal, handler).invoke(null, pipe, before);
        }
    }
}
