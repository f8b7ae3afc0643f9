# shellcheck shell=bash
# Step 6: fewer interrupts. The driver waits longer before it interrupts, and a worker with nothing
# to do polls its queue for a moment.
#
# The article's sysctl is net.core.busy_poll: it makes epoll_wait poll. busy_read only sets the
# default of blocking reads; it is here because much advice names it. From 6.9 on a server can ask
# for its own epoll (Bareloop does), and from 6.13 on the kernel can keep the interrupt off while a
# worker is busy (irq-suspend-timeout), which is this step without its cost when idle.
step 6 interrupts '+28 %' 'interrupt moderation and busy polling'

readonly TX_USECS=256                    # Derived scripts; the article has it in its template.
readonly DEFER_HARD_IRQS=100             # As published with the IRQ suspension patches:
readonly GRO_FLUSH_TIMEOUT=20000         # suspend20, in ns.
readonly IRQ_SUSPEND_TIMEOUT=20000000

knobs_of_interrupts() {
    if [[ ! $IFACE ]]; then
        fact moderation '' '' unknown "$IFACE_FROM"
    elif [[ $DRIVER == loopback ]]; then
        missing moderation '' 'loopback: no NAPI, no interrupts'
    else
        interrupts_moderation
    fi
    knob sysctl net.core.busy_poll net.core.busy_poll 1 global,cpu-cost
    knob sysctl net.core.busy_read net.core.busy_read 1 global,cpu-cost
    if [[ $IFACE && $DRIVER != loopback ]]; then
        interrupts_napi
    fi
    interrupts_server
}

interrupts_moderation() {
    local adaptive=on usecs=$TX_USECS why=''
    # Step 9 goes on to static moderation: then this is not a difference.
    if last_moderation_there; then
        adaptive=off usecs=$STATIC_USECS
        why="step 9's static moderation is in its place"
    fi
    knob coalesce adaptive-rx "$IFACE adaptive-rx" "$adaptive" cpu-cost
    reason "$why"
    knob coalesce tx-usecs "$IFACE tx-usecs" "$usecs"
    reason "$why"
}

interrupts_napi() {
    local directory=/sys/class/net/$IFACE
    knob file napi_defer_hard_irqs "$directory/napi_defer_hard_irqs" "$DEFER_HARD_IRQS" cpu-cost
    interrupts_conflict
    knob file gro_flush_timeout "$directory/gro_flush_timeout" "$GRO_FLUSH_TIMEOUT" cpu-cost
    interrupts_conflict
    interrupts_suspension
}

# veth has NAPI only while GRO is on, so step 9's GRO off takes this step's ground away.
interrupts_conflict() {
    [[ $DRIVER == veth ]] || return 0
    if knob_read feature "$IFACE gro" && [[ $VALUE == off ]]; then
        conflict "veth: GRO is off, so there is no NAPI to poll; revert 9/gro, or: ethtool -K $IFACE gro on"
    fi
}

interrupts_suspension() {
    local id ids
    if ((KERNEL_NUMBER < 613)); then
        missing irq-suspend-timeout "$IRQ_SUSPEND_TIMEOUT" 'kernel before 6.13: no IRQ suspension'
        return
    fi
    if ! command -v ynl >/dev/null; then
        missing irq-suspend-timeout "$IRQ_SUSPEND_TIMEOUT" \
            "ynl not found: it is in the kernel's source, tools/net/ynl; Debian 12 has no package"
        return
    fi
    first_line "/sys/class/net/$IFACE/ifindex"
    if ! cached ynl --family netdev --output-json --dump napi-get --json "{\"ifindex\":$LINE}"; then
        errno_text "$OUTPUT"
        missing irq-suspend-timeout "$IRQ_SUSPEND_TIMEOUT" "$ERRNO_TEXT"
        return
    fi
    ids=$(printf '%s\n' "$OUTPUT" | grep -o '"id": *[0-9]*' | grep -o '[0-9]*$') || ids=''
    [[ $ids ]] || missing irq-suspend-timeout "$IRQ_SUSPEND_TIMEOUT" "$DRIVER: no NAPI"
    for id in $ids; do
        knob napi "napi/$id suspend" "$IFACE $id" "$IRQ_SUSPEND_TIMEOUT"
    done
}

# Whether a worker polls is the server's option; that it happens shows in BusyPollRxPackets.
interrupts_server() {
    local arguments polled
    if [[ ! $OPTION_PID ]]; then
        fact 'epoll busy poll' '' 'not off' unknown 'give --pid to check a server'
        return
    fi
    arguments=$(tr '\0' ' ' <"$ROOT/proc/$OPTION_PID/cmdline" 2>/dev/null) || arguments=''
    polled=$(awk '/^TcpExt:/ { if (!names) { names = 1; split($0, name) } else { split($0, value)
        for (i in name) if (name[i] == "BusyPollRxPackets") print value[i] } }' \
        "$ROOT/proc/$OPTION_PID/net/netstat" 2>/dev/null) || polled=''
    if [[ $arguments =~ --busy-poll[=\ ]off ]]; then
        fact 'epoll busy poll' off 'not off' differs 'start the server without --busy-poll off'
    elif [[ ! $polled ]]; then
        fact 'epoll busy poll' '' 'not off' unknown 'this kernel does not count BusyPollRxPackets'
    elif ((polled == 0)); then
        fact 'epoll busy poll' "0 packets" 'not off' unknown 'nothing polled yet: look again under load'
    else
        fact 'epoll busy poll' "$polled packets" 'not off' applied 'BusyPollRxPackets'
    fi
}
