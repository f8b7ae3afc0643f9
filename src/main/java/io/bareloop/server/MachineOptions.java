package io.bareloop.server;

import io.bareloop.net.Knob;

/**
 * What a server is to take of the machine and ask of its kernel: the part of {@link
 * HttpServer.Builder} that most programs leave alone. Not safe for several threads at once.
 */
abstract sealed class MachineOptions permits ApplicationOptions {
    private static final int BUSY_POLL_MICROS = 50;

    // Configuration takes all of this.
    CpuSet cpus;
    CpuSet housekeepingCpus;
    Setting steering = Setting.AUTO;
    Knob busyPoll = Knob.auto(BUSY_POLL_MICROS);
    String congestion;
    Setting ioUring = Setting.AUTO;
    Setting privateDescriptors = Setting.OFF;
    int backlog = 4096;
    int connectionsMax = 65_536;
    long pendingBytesMax = NativeMemory.PENDING_UNSET;

    MachineOptions() {}

    /**
     * The CPUs to use; without this call {@link CpuSet#allowed}. Where a quota leaves fewer loops
     * than CPUs, and steering is ON or there are {@link #housekeepingCpus(CpuSet)}, loops are
     * pinned to the first CPUs nonetheless, less those for housekeeping: both need pinned ones.
     *
     * @param cpus one loop for each, or a number of loops that are not pinned
     * @return this builder
     */
    public HttpServer.Builder cpus(CpuSet cpus) {
        this.cpus = cpus;
        return builder();
    }

    /**
     * Keeps all threads of this process that are not loops on {@code cpus}: the compilers and
     * collectors of the JVM, and the application's own, the calling one among them; until the
     * server is closed. Threads that come later are moved too, within a second. They may share a
     * CPU with a loop where that is asked for; the loops have to be pinned.
     *
     * @param cpus pinned CPUs, such as {@code CpuSet.of("0")}
     * @return this builder
     * @throws IllegalArgumentException where they are a number of loops that are not pinned
     */
    public HttpServer.Builder housekeepingCpus(CpuSet cpus) {
        if (!cpus.isPinned()) {
            throw new IllegalArgumentException("housekeeping needs CPUs, not " + cpus);
        }
        this.housekeepingCpus = cpus;
        return builder();
    }

    /**
     * Whether a connection goes to the loop on the CPU that received it (SO_ATTACH_REUSEPORT_CBPF),
     * instead of one chosen by hash.
     *
     * @param setting without this call AUTO
     * @return this builder
     */
    public HttpServer.Builder steering(Setting setting) {
        this.steering = setting;
        return builder();
    }

    /**
     * Whether a wait polls the network device for 50 us before it sleeps. Has an effect where the
     * device has queues of its own: not on loopback.
     *
     * @param setting without this call AUTO
     * @return this builder
     */
    public HttpServer.Builder busyPoll(Setting setting) {
        this.busyPoll = new Knob(Configuration.mode(setting), BUSY_POLL_MICROS);
        return builder();
    }

    /**
     * Polls for {@code micros}, 1 to 1000; where the kernel refuses, the start fails.
     *
     * @param micros of polling
     * @return this builder
     * @throws IllegalArgumentException where it is out of range
     */
    public HttpServer.Builder busyPollMicros(int micros) {
        this.busyPoll = Knob.on(Configuration.between("busy-poll microseconds", micros, 1, 1000));
        return builder();
    }

    /**
     * The TCP congestion control of this server's connections, for example "reno".
     *
     * @param name as sysctl net.ipv4.tcp_available_congestion_control lists it, 15 characters at
     *     the most; without this call the system's
     * @return this builder
     * @throws IllegalArgumentException where it is empty or longer
     */
    public HttpServer.Builder congestion(String name) {
        if (name.isEmpty() || name.length() > 15) {
            throw new IllegalArgumentException("not a congestion control: \"" + name + "\"");
        }
        this.congestion = name;
        return builder();
    }

    /**
     * Whether connections that are ready at the same time are received from by one system call, and
     * sent to by another (io_uring(7), Linux 6.6); without this call AUTO. Their responses leave
     * together, up to 32 of them, when the last one's request is answered.
     *
     * @param setting where and how to use it
     * @return this builder
     */
    public HttpServer.Builder ioUring(Setting setting) {
        this.ioUring = setting;
        return builder();
    }

    /**
     * Whether each loop has a descriptor table of its own (unshare(2) with CLONE_FILES); without
     * this call OFF. The kernel then need not count references to descriptors, which saves 1 to 3 %
     * of the CPU time of a request.
     *
     * <p>For handlers only that compute. On the loop's thread they must not open, use or close
     * files, sockets or other libraries' descriptors, nor load classes from a file that is not open
     * yet: a descriptor's number means another file there than in the rest of the process. Blocking
     * handlers have threads of their own and are free of this; StaticFiles serves small files only,
     * and answers 500 for large ones. And lsof(8), ss(8) and /proc/PID/fd do not show the
     * connections; /proc/PID/task/TID/fd does.
     *
     * @param setting where and how to use it
     * @return this builder
     */
    public HttpServer.Builder privateDescriptors(Setting setting) {
        this.privateDescriptors = setting;
        return builder();
    }

    /**
     * Completed connections that may wait to be accepted, per loop, 1 to 65535; without this call
     * 4096. The kernel lowers it to net.core.somaxconn.
     *
     * @param connections of each loop
     * @return this builder
     * @throws IllegalArgumentException where it is out of range
     */
    public HttpServer.Builder backlog(int connections) {
        this.backlog = Configuration.between("backlog", connections, 1, 65_535);
        return builder();
    }

    /**
     * Open connections per loop, 1 to 1048576; without this call 65536. Further ones wait in the
     * backlog.
     *
     * @param connections of each loop
     * @return this builder
     * @throws IllegalArgumentException where it is out of range
     */
    public HttpServer.Builder connectionsMax(int connections) {
        this.connectionsMax = Configuration.between("connections", connections, 1, 1 << 20);
        return builder();
    }

    /**
     * Memory per loop for requests and responses that are under way, 1 MiB to 1 TiB; without this
     * call 64 MiB, or less where the loops together would have more than half of the largest heap.
     * A connection that would need more is answered 503, or closed. It is taken from the system,
     * not from what -XX:MaxDirectMemorySize allows, and resident only as far as it is needed; what
     * was needed goes back to the system after some seconds.
     *
     * @param bytes of each loop
     * @return this builder
     * @throws IllegalArgumentException where it is out of range
     */
    public HttpServer.Builder pendingBytesMax(long bytes) {
        NativeMemory.checkPending(bytes);
        this.pendingBytesMax = bytes;
        return builder();
    }

    final HttpServer.Builder builder() {
        return (HttpServer.Builder) this;
    }
}
