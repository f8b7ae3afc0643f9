# shellcheck shell=bash
# Step 9: the last ones. Small requests have nothing to coalesce (GRO), reno is the cheapest
# congestion control, and static moderation spares the adaptive one's bookkeeping.
step 9 last '+4 %' 'GRO off, reno, static moderation'

readonly STATIC_USECS=300 # The article; 256 in its author's report to the driver.

knobs_of_last() {
    local feature
    if [[ ! $IFACE ]]; then
        fact gro '' off unknown "$IFACE_FROM"
    elif [[ $DRIVER == loopback ]]; then
        missing gro off 'loopback: no GRO'
        missing moderation '' 'loopback: no NAPI, no interrupts'
    else
        for feature in gro rx-gro-hw lro; do
            last_feature "$feature"
        done
    fi
    knob sysctl tcp_congestion_control net.ipv4.tcp_congestion_control reno
    reason 'new connections only'
    if [[ $IFACE && $DRIVER != loopback ]]; then
        knob coalesce adaptive-rx "$IFACE adaptive-rx" off
        knob coalesce rx-usecs "$IFACE rx-usecs" "$STATIC_USECS"
        knob coalesce tx-usecs "$IFACE tx-usecs" "$STATIC_USECS"
    fi
}

last_feature() {
    if ! knob_read feature "$IFACE $1" && [[ $1 != gro && $CAUSE == *': no '* ]]; then
        return 0 # Not every device has the others, and nobody misses them.
    fi
    knob feature "$1" "$IFACE $1" off
    if [[ $1 == gro && $DRIVER == veth ]] && last_gro_conflicts; then
        conflict 'veth: GRO off takes away NAPI and with it step 6; apply 6 or 9/gro'
    fi
}

# On veth it is one or the other: who names 9/gro and has not applied step 6, means it.
last_gro_conflicts() {
    local seq
    if ((!NAMED)) || [[ ${SELECTED[6]:-} ]]; then
        return 0
    fi
    for seq in "${!R_STEP[@]}"; do
        if [[ ${R_STEP[seq]} == 6 && ${R_KIND[seq]} == file ]]; then
            return 0
        fi
    done
    return 1
}

# Whether this step's moderation is in place, as it reads now.
last_moderation_there() {
    local parameter
    for parameter in 'adaptive-rx off' "rx-usecs $STATIC_USECS" "tx-usecs $STATIC_USECS"; do
        knob_read coalesce "$IFACE ${parameter% *}" && [[ $VALUE == "${parameter#* }" ]] || return 1
    done
}
