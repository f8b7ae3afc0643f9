# shellcheck shell=bash
# Step 8: no qdisc, so no lock of it. A full transmit ring then drops packets instead of queueing
# them; the kernel logs "Virtual device IF asks to queue packet!".
step 8 qdisc '+2 %' 'no qdisc lock'

knobs_of_qdisc() {
    local target='mq noqueue' why=''
    if [[ ! $IFACE ]]; then
        fact qdisc '' "$target" unknown "$IFACE_FROM"
        return
    fi
    queue_count tx
    if ((COUNT <= 1)); then
        target=noqueue
        why='single queue: no mq'
    fi
    # Global for a moment: the children of mq are made from net.core.default_qdisc.
    if ((COUNT > 1)); then
        knob qdisc qdisc "$IFACE" "$target" global
    else
        knob qdisc qdisc "$IFACE" "$target"
    fi
    reason "$why"
}
