# /proc/stat and /proc/softirqs, before and after -> each CPU's time, and its softirqs a second.
# hz: ticks a second.

FNR == 1 { file++ }

file <= 2 && /^cpu[0-9]/ {
    cpu = substr($1, 4)
    sign = file == 1 ? -1 : 1
    if (file == 1) order[++cpus] = cpu
    for (i = 2; i <= 9; i++) ticks[cpu] += sign * $i
    user[cpu] += sign * ($2 + $3)
    kernel[cpu] += sign * $4
    idle[cpu] += sign * ($5 + $6)
    softirq[cpu] += sign * $8
    irq[cpu] += sign * $7
    steal[cpu] += sign * $9
}

file >= 3 {
    if (FNR == 1) { for (i = 1; i <= NF; i++) column[i] = substr($i, 4); columns = NF; next }
    kind = $1
    sub(/:$/, "", kind)
    if (file == 3) kinds[++kind_count] = kind
    for (i = 1; i <= columns; i++) softirqs[kind, column[i]] += (file == 3 ? -1 : 1) * $(i + 1)
}

function percent(part, cpu) {
    return ticks[cpu] ? part * 100 / ticks[cpu] : 0
}

# The CPU's own time is the clock: its ticks are all of those that passed.
function each(kind, cpu) {
    return ticks[cpu] ? softirqs[kind, cpu] * hz / ticks[cpu] : 0
}

END {
    print "CPU    user  kernel     irq softirq   steal    idle   NET_RX   NET_TX    TIMER    SCHED  (shares; softirqs a second)"
    for (k = 1; k <= cpus; k++) {
        c = order[k]
        printf "%3s %5.1f %% %5.1f %% %5.1f %% %5.1f %% %5.1f %% %5.1f %% %8d %8d %8d %8d\n", c, percent(user[c], c), \
            percent(kernel[c], c), percent(irq[c], c), percent(softirq[c], c), percent(steal[c], c), percent(idle[c], c), \
            each("NET_RX", c), each("NET_TX", c), each("TIMER", c), each("SCHED", c)
    }
}
