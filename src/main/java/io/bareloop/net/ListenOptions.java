package io.bareloop.net;

/**
 * How listeners are opened.
 *
 * @param steering whether connections go to the listener of the CPU that received them; the value
 *     is not used
 * @param busyPoll microseconds that a wait polls the network device before it sleeps
 * @param congestion the TCP congestion control by name, or null for the system's
 * @param backlog completed connections that may wait for accept4, 1 or more; the kernel lowers it
 *     to net.core.somaxconn
 */
public record ListenOptions(Knob steering, Knob busyPoll, String congestion, int backlog) {}
