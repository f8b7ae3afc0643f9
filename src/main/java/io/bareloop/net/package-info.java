/**
 * Descriptors and what they can be asked to do: epoll, listeners, the wake-up, CPUs.
 *
 * <p>Knows: which options a descriptor takes, in which order, and what to say where the kernel
 * refuses. Imports: {@code sys}. Called by: {@code loop} and {@code server}.
 */
package io.bareloop.net;
