package io.bareloop.loop;

import io.bareloop.net.Knob;

/**
 * What a loop is given.
 *
 * @param cpu the CPU to pin to, or -1 for none
 * @param connectionsMax open connections; at that number accepting pauses
 * @param busyPoll microseconds for which a wait polls the network device, where the kernel can be
 *     asked per epoll descriptor
 * @param unsentBytesMax bytes of responses that one connection may have unsent
 * @param sendNanos time in which a peer acknowledges no byte, after which its connection is closed
 * @param lingerNanos how long a peer that still sends is listened to after the last response
 * @param ioUring whether connections that are ready together are received from and sent to together
 * @param privateDescriptors whether the loop's thread has a descriptor table of its own
 */
public record LoopOptions(
        int cpu,
        int connectionsMax,
        Knob busyPoll,
        int unsentBytesMax,
        long sendNanos,
        long lingerNanos,
        Knob ioUring,
        Knob privateDescriptors) {}
