package io.bareloop.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.sun.management.ThreadMXBean;
import io.bareloop.net.Epoll;
import io.bareloop.sys.Errno;
import io.bareloop.sys.Linux;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * The connections of one run, on the calling thread. A connection is an index into arrays; it keeps
 * no bytes, for what arrives is compared where it lies ({@link Exemplar}).
 */
final class Generator {
    private static final int IN_BYTES = 256 << 10;
    private static final int EVENTS_MAX = 1024;
    private static final int INTEREST =
            Linux.EPOLLIN | Linux.EPOLLOUT | Linux.EPOLLRDHUP | Linux.EPOLLET;

    /** Connections begun at once, so that no backlog overflows. */
    private static final int CONNECTING_MAX = 256;

    private static final long SECOND = 1_000_000_000L;
    private static final long SILENCE_MAX = 10 * SECOND;
    private static final int SLOWEST_KEPT = 200;
    private static final long LATENCY_MAX = 60 * SECOND;

    private final LoadOptions options;
    private final Syscalls sys;
    private final Epoll epoll;
    private final Connects connects;
    private final MemorySegment in;
    private final MemorySegment batch;
    private final MemorySegment closing;
    private final int requestBytes;
    private final Exemplar kept;
    private final Exemplar last;
    private final boolean open;

    // Of each connection.
    private final int[] fds;
    private final int[] unsent; // Bytes of the batch the kernel has not taken yet.
    private final int[] position; // In the response that is arriving.
    private final int[] outstanding; // Responses of the batch still to come.
    private final int[] requestsLeft; // On this connection, where it is to be a short one.
    private final long[] begun; // When the batch was sent or, in an open loop, due.
    private final long[] sent; // When it was sent, in an open loop.
    private final long[] late; // Nanoseconds the generator sent it late by its own fault.
    private final long[] answers;

    // The connections that are free, in an open loop: a ring.
    private final int[] free;
    private int freeFirst;
    private int freeCount;

    private long due; // The next request, in an open loop.
    private long dueEnd;
    private long exhausted; // When a request was due and no connection free, the last time.
    private final double meanGap;
    private long random = 0x9E3779B97F4A7C15L;
    private double dueFraction;

    private final Histogram latencies = new Histogram(1, LATENCY_MAX, 3);
    private final Histogram sinceSent = new Histogram(1, LATENCY_MAX, 3);
    private final Histogram lags = new Histogram(1, LATENCY_MAX, 3);
    private final Slowest slowest = new Slowest(SLOWEST_KEPT);
    private final Slowest gaps = new Slowest(SLOWEST_KEPT);
    private long requests;
    private long connectionsOpened; // In all, with those of the exemplars.
    private long connectionsEnded;
    private long bytesReceived;
    private long lastAnswer;

    Generator(LoadOptions options, Syscalls sys, Arena arena, InetAddress host) throws IOException {
        this.options = options;
        this.sys = sys;
        open = options.rate() > 0;
        meanGap = open ? SECOND / options.rate() : 0;
        byte[] request = options.request(false);
        byte[] lastRequest = options.request(true);
        requestBytes = request.length;
        kept =
                Exemplar.fetch(
                        host, options.port(), request, options.bodyBytes(), options.body(), false);
        last =
                options.requestsPerConnection() == 0
                        ? kept
                        : Exemplar.fetch(
                                host,
                                options.port(),
                                lastRequest,
                                options.bodyBytes(),
                                options.body(),
                                true);
        connectionsOpened = kept == last ? 1 : 2;
        epoll = new Epoll(sys, arena, EVENTS_MAX);
        connects = new Connects(sys, arena, host, options.port());
        in = arena.allocate(IN_BYTES, 4096);
        batch = arena.allocate((long) request.length * options.depth(), Long.BYTES);
        for (int i = 0; i < options.depth(); i++) {
            MemorySegment.copy(
                    request, 0, batch, JAVA_BYTE, (long) i * request.length, request.length);
        }
        closing = arena.allocate(lastRequest.length, Long.BYTES);
        MemorySegment.copy(lastRequest, 0, closing, JAVA_BYTE, 0, lastRequest.length);
        int n = options.connections();
        fds = new int[n];
        unsent = new int[n];
        position = new int[n];
        outstanding = new int[n];
        requestsLeft = new int[n];
        begun = new long[n];
        sent = new long[n];
        late = new long[n];
        answers = new long[n];
        free = new int[n];
    }

    /** Makes the load; returns what came of it, as JSON. */
    String run() {
        lastAnswer = System.nanoTime();
        openAll();
        if (open) {
            schedule(options.warmupSeconds());
        }
        boolean counted = options.connectionsTotal() > 0;
        turnsUntil(System.nanoTime() + (long) (options.warmupSeconds() * SECOND), 0);
        if (open) {
            finish();
        }

        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        threads.getCurrentThreadAllocatedBytes();
        List<Long> self = List.of(ProcessHandle.current().pid());
        ProcessTimes ownBefore = ProcessTimes.of(self);
        long[] machineBefore = ProcessTimes.machine();
        ProcessTimes before = ProcessTimes.of(options.watched());
        reset();
        long allocatedBefore = threads.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        if (open) {
            schedule(options.seconds());
        }
        turnsUntil(
                counted ? Long.MAX_VALUE : start + (long) (options.seconds() * SECOND),
                options.connectionsTotal());
        if (open) {
            finish();
        }
        long end = System.nanoTime();
        long allocated = threads.getCurrentThreadAllocatedBytes() - allocatedBefore;
        ProcessTimes after = ProcessTimes.of(options.watched());
        long[] machineAfter = ProcessTimes.machine();
        ProcessTimes ownAfter = ProcessTimes.of(self);

        long least = Long.MAX_VALUE;
        long most = 0;
        for (long n : answers) {
            least = Math.min(least, n);
            most = Math.max(most, n);
        }
        return new Json()
                .put("requests", requests)
                .put("seconds", (end - start) / (double) SECOND)
                .put("start_ns", start)
                .put("end_ns", end)
                .put("rate", requests / ((end - start) / (double) SECOND))
                .put("rate_intended", options.rate())
                .put("connections", options.connections())
                .put("connections_opened", connectionsOpened)
                .put("connections_ended", connectionsEnded)
                .put("depth", options.depth())
                .put("request_bytes", requestBytes)
                .put("response_bytes", kept.length())
                .put("received_bytes", bytesReceived)
                .put("least_per_connection", least)
                .put("most_per_connection", most)
                .put("generator_allocated_bytes", allocated)
                .putRaw("latency", percentiles(latencies))
                .putRaw("latency_since_sent", percentiles(sinceSent))
                .putRaw("send_lag", percentiles(lags))
                .putRaw("slowest", slowest.toJson())
                .putRaw("generator_gaps", gaps.toJson())
                .putRaw("server", after.since(before))
                .putRaw("generator", ownAfter.since(ownBefore))
                .put("machine_busy_ticks", machineAfter[0] - machineBefore[0])
                .put("machine_steal_ticks", machineAfter[1] - machineBefore[1])
                .toString();
    }

    private static String percentiles(Histogram histogram) {
        return new Json()
                .put("count", histogram.getTotalCount())
                .put("mean_us", histogram.getMean() / 1000)
                .put("p50_us", micros(histogram, 50))
                .put("p90_us", micros(histogram, 90))
                .put("p99_us", micros(histogram, 99))
                .put("p99.9_us", micros(histogram, 99.9))
                .put("p99.99_us", micros(histogram, 99.99))
                .put("max_us", histogram.getMaxValue() / 1000.0)
                .toString();
    }

    private static double micros(Histogram histogram, double percentile) {
        return histogram.getValueAtPercentile(percentile) / 1000.0;
    }

    private void reset() {
        latencies.reset();
        sinceSent.reset();
        lags.reset();
        slowest.clear();
        gaps.clear();
        requests = 0;
        connectionsEnded = 0;
        bytesReceived = 0;
        java.util.Arrays.fill(answers, 0);
    }

    private void openAll() {
        for (int slot = 0; slot < fds.length; slot++) {
            begin(slot);
            if (slot % CONNECTING_MAX == CONNECTING_MAX - 1) {
                turn(0);
            }
        }
    }

    /** Opens the connection of {@code slot}, and sends where the loop is a closed one. */
    private void begin(int slot) {
        begun[slot] = System.nanoTime();
        int fd = connects.open();
        if (fd < 0) {
            throw new IllegalStateException(
                    "connection " + connectionsOpened + ": " + Connects.describe(fd));
        }
        fds[slot] = fd;
        position[slot] = 0;
        outstanding[slot] = 0;
        unsent[slot] = 0;
        requestsLeft[slot] = options.requestsPerConnection();
        connectionsOpened++;
        int result = epoll.add(fd, INTEREST, slot);
        if (result < 0) {
            throw new IllegalStateException("epoll_ctl: " + Errno.describe(result));
        }
        if (open) {
            release(slot);
        } else {
            startBatch(slot);
        }
    }

    private void turnsUntil(long end, long connections) {
        long before = System.nanoTime();
        while (true) {
            long now = System.nanoTime();
            gaps.record(before, now - before, 0);
            before = now;
            if (now >= end || (connections > 0 && connectionsEnded >= connections)) {
                return;
            }
            if (now - lastAnswer > SILENCE_MAX) {
                throw new IllegalStateException("no response for 10 s");
            }
            turn(now);
        }
    }

    /** Waits for what is due, sent or not: the end of a run must not hide the slowest. */
    private void finish() {
        while (due < dueEnd || freeCount < free.length) {
            long now = System.nanoTime();
            if (now - lastAnswer > SILENCE_MAX) {
                throw new IllegalStateException("no response for 10 s");
            }
            turn(now);
        }
    }

    private void turn(long now) {
        if (open) {
            sendDue(now);
        }
        // An open loop does not sleep: it would be late for the next request.
        int ready = epoll.await(open ? 0 : 100);
        for (int i = 0; i < ready; i++) {
            onReady((int) epoll.token(i), epoll.events(i));
        }
    }

    private void schedule(double seconds) {
        lastAnswer = System.nanoTime();
        due = lastAnswer + 1_000_000;
        dueEnd = due + (long) (seconds * SECOND);
        dueFraction = 0;
    }

    private void sendDue(long now) {
        while (due <= now && due < dueEnd && freeCount > 0) {
            int slot = free[freeFirst];
            freeFirst = freeFirst + 1 == free.length ? 0 : freeFirst + 1;
            freeCount--;
            startBatch(slot);
            begun[slot] = due;
            sent[slot] = now;
            // While every connection waits for the server, it is the server that is late.
            late[slot] = exhausted >= due ? 0 : now - due;
            lags.recordValue(Math.min(LATENCY_MAX, Math.max(1, now - due)));
            advance();
        }
        if (freeCount == 0 && due <= now && due < dueEnd) {
            exhausted = now;
        }
    }

    /** Settles when the next request is due; nothing that happens meanwhile has a say. */
    private void advance() {
        double gap = meanGap;
        if (options.poisson()) {
            random ^= random << 13;
            random ^= random >>> 7;
            random ^= random << 17;
            double uniform = ((random >>> 11) + 1) * 0x1.0p-53;
            gap = -Math.log(uniform) * meanGap;
        }
        dueFraction += gap;
        long whole = (long) dueFraction;
        dueFraction -= whole;
        due += whole;
    }

    private void release(int slot) {
        int end = freeFirst + freeCount;
        free[end >= free.length ? end - free.length : end] = slot;
        freeCount++;
    }

    private void startBatch(int slot) {
        boolean lastOne = requestsLeft[slot] == 1;
        outstanding[slot] = lastOne ? 1 : options.depth();
        unsent[slot] = (int) (lastOne ? closing : batch).byteSize();
        send(slot);
    }

    private void send(int slot) {
        MemorySegment bytes = requestsLeft[slot] == 1 ? closing : batch;
        int length = (int) bytes.byteSize();
        while (unsent[slot] > 0) {
            int n = sys.send(fds[slot], bytes, length - unsent[slot], unsent[slot], 0);
            if (n == -Errno.EAGAIN) {
                return; // The event that it goes on will come.
            }
            if (n < 0) {
                throw new IllegalStateException("send: " + Errno.describe(n));
            }
            unsent[slot] -= n;
        }
    }

    private void onReady(int slot, int events) {
        if (unsent[slot] > 0 && (events & Linux.EPOLLOUT) != 0) {
            send(slot);
        }
        if ((events & (Linux.EPOLLIN | Linux.EPOLLRDHUP | Linux.EPOLLERR | Linux.EPOLLHUP)) == 0) {
            return;
        }
        boolean more = (events & Linux.EPOLLRDHUP) != 0;
        while (true) {
            int n = sys.recv(fds[slot], in, 0, IN_BYTES);
            if (n > 0) {
                take(slot, n);
                if (n < IN_BYTES && !more) {
                    return;
                }
            } else if (n == -Errno.EAGAIN) {
                return;
            } else if (n == 0) {
                end(slot);
                return;
            } else {
                throw new IllegalStateException("recv: " + Errno.describe(n));
            }
        }
    }

    private void take(int slot, int length) {
        bytesReceived += length;
        int at = 0;
        boolean complete = false;
        while (at < length) {
            if (outstanding[slot] == 0) {
                throw new Exemplar.WrongResponse("bytes that nobody asked for");
            }
            Exemplar exemplar = requestsLeft[slot] == 1 ? last : kept;
            int count = Math.min(length - at, exemplar.length() - position[slot]);
            if (!exemplar.matches(position[slot], in, at, count)) {
                throw mismatch(slot, at, count);
            }
            at += count;
            position[slot] += count;
            if (position[slot] == exemplar.length()) {
                position[slot] = 0;
                requests++;
                answers[slot]++;
                outstanding[slot]--;
                complete = outstanding[slot] == 0;
            }
        }
        if (complete) {
            batchAnswered(slot);
        }
    }

    private void batchAnswered(int slot) {
        long now = System.nanoTime();
        long latency = now - begun[slot];
        lastAnswer = now;
        latencies.recordValue(Math.min(LATENCY_MAX, Math.max(1, latency)));
        slowest.record(begun[slot], latency, open ? late[slot] : 0);
        if (open) {
            sinceSent.recordValue(Math.min(LATENCY_MAX, Math.max(1, now - sent[slot])));
            release(slot);
        } else if (requestsLeft[slot] == 1) {
            requestsLeft[slot] = -1; // The server is to close.
        } else {
            if (requestsLeft[slot] > 1) {
                requestsLeft[slot]--;
            }
            begun[slot] = now;
            startBatch(slot);
        }
    }

    private void end(int slot) {
        if (requestsLeft[slot] != -1) {
            throw new Exemplar.WrongResponse(
                    "the server has closed, with responses outstanding: " + outstanding[slot]);
        }
        sys.close(fds[slot]);
        connectionsEnded++;
        begin(slot);
    }

    private Exemplar.WrongResponse mismatch(int slot, int at, int count) {
        byte[] found = in.asSlice(at, Math.min(count, 200)).toArray(JAVA_BYTE);
        return new Exemplar.WrongResponse(
                "from byte "
                        + position[slot]
                        + " on: "
                        + new String(found, java.nio.charset.StandardCharsets.ISO_8859_1));
    }
}
