# shellcheck shell=bash
# Step 5: perfect locality. The i-th queue, its interrupt, its transmit queue and the i-th worker
# share the i-th CPU of the worker order, and the server's reuseport filter hands a connection to
# the worker on the CPU that received it.
#
# The order matters: the number of queues resets what hangs on the queues, and irqbalance would
# move the interrupts again.
step 5 locality '+38 %' 'queues, IRQs, XPS, RPS and workers on the same CPUs'

knobs_of_locality() {
    if [[ ! $IFACE ]]; then
        fact queues '' '' unknown "$IFACE_FROM"
        return
    fi
    if [[ $DRIVER == loopback ]]; then
        missing queues '' 'loopback: no queues; the client runs the receive path on its own CPU'
        locality_server
        return
    fi
    locality_queues
    knob service irqbalance irqbalance.service stopped global
    locality_irqs
    locality_xps
    locality_rps
    locality_server
}

# queue_count tx|rx: COUNT
queue_count() {
    local queues=("$ROOT/sys/class/net/$IFACE/queues/$1"-*)
    COUNT=0
    [[ ! -e ${queues[0]} ]] || COUNT=${#queues[@]}
}

locality_queues() {
    local wanted
    if ! knob_read channels "$IFACE"; then
        missing queues "${#CPUS[@]}" "$CAUSE"
        return
    fi
    wanted=${#CPUS[@]}
    ((wanted <= CHANNELS_MAX)) || wanted=$CHANNELS_MAX
    if [[ $VALUE == rx* ]]; then
        knob channels queues "$IFACE" "rx $wanted tx $wanted"
    else
        knob channels queues "$IFACE" "combined $wanted"
    fi
    if ((CHANNELS_MAX < ${#CPUS[@]})); then
        reason "$DRIVER has no more; RPS spreads to the other CPUs"
    fi
}

# The number at the end of an interrupt's name is that of its queue: ens5-Tx-Rx-0,
# virtio0-input.0, mlx5_comp0@pci:0000:00:05.0.
locality_irqs() {
    local directory irq name number cpu found='' line
    for directory in msi_irqs ../msi_irqs; do
        directory=$ROOT/sys/class/net/$IFACE/device/$directory
        [[ -d $directory ]] && break
    done
    if [[ ! -d $directory ]]; then
        missing IRQs '' "${DRIVER:-this device}: no interrupts of its own"
        return
    fi
    while read -r irq; do
        line=$(sed -n "s/^ *$irq: *//p" "$ROOT/proc/interrupts" 2>/dev/null) || line=''
        name=${line##* }
        name=${name%%@*}
        [[ $name =~ (async|config|control|mgmnt|cmd|pages) ]] && continue
        [[ $name =~ ([0-9]+)$ ]] || continue
        number=$((10#${BASH_REMATCH[1]}))
        cpu=${CPUS[number % ${#CPUS[@]}]}
        found=1
        knob cpulist "irq/$irq $name" "/proc/irq/$irq/smp_affinity_list" "$cpu" global
        # The kernel may take the list and still deliver elsewhere.
        if file_text "/proc/irq/$irq/effective_affinity_list" && [[ $TEXT ]]; then
            file_text "/proc/irq/$irq/smp_affinity_list" || continue
            if [[ $TEXT == "$cpu" ]]; then
                file_text "/proc/irq/$irq/effective_affinity_list"
                if [[ $TEXT != "$cpu" ]]; then
                    fact "irq/$irq effective" "$TEXT" "$cpu" differs \
                        'the kernel delivers elsewhere until the next interrupt'
                fi
            fi
        fi
    done < <(printf '%s\n' "$directory"/* | sed 's,.*/,,' | sort -n)
    [[ $found ]] || missing IRQs '' "no interrupt in /proc/interrupts carries a queue's number"
}

locality_xps() {
    local i
    queue_count tx
    if ((COUNT <= 1)); then
        missing xps '' 'single queue: no XPS'
        return
    fi
    for ((i = 0; i < COUNT; i++)); do
        cpu_mask "${CPUS[i % ${#CPUS[@]}]}"
        knob mask "tx-$i/xps_cpus" "/sys/class/net/$IFACE/queues/tx-$i/xps_cpus" "$MASK"
    done
}

# With a queue per CPU, RPS would only add an interrupt between CPUs.
locality_rps() {
    local i j share
    queue_count rx
    for ((i = 0; i < COUNT; i++)); do
        MASK=0
        if ((COUNT < ${#CPUS[@]})); then
            share=()
            for ((j = i; j < ${#CPUS[@]}; j += COUNT)); do
                share+=("${CPUS[j]}")
            done
            cpu_mask "${share[@]}"
        fi
        knob mask "rx-$i/rps_cpus" "/sys/class/net/$IFACE/queues/rx-$i/rps_cpus" "$MASK"
        if [[ $MASK != 0 ]]; then
            reason "$COUNT queues for ${#CPUS[@]} CPUs"
        fi
    done
}

# The server: each loop pinned, in worker order, and each connection on the CPU that received it.
locality_server() {
    local file name i list pinned='' wanted=''
    if [[ ! $OPTION_PID ]]; then
        fact pinning '' '' unknown 'give --pid to check a server'
        fact 'reuseport filter' '' '' unknown 'give --pid to check a server'
        return
    fi
    declare -A of_loop=()
    for file in "$ROOT/proc/$OPTION_PID"/task/*/comm; do
        name=''
        { read -r name <"$file"; } 2>/dev/null || continue
        [[ $name =~ ^bareloop-([0-9]+)$ ]] || continue
        i=${BASH_REMATCH[1]}
        list=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "${file%/comm}/status" 2>/dev/null) ||
            list='?'
        of_loop[$i]=$list
    done
    if ((${#of_loop[@]} == 0)); then
        fact pinning '' '' unsupported "process $OPTION_PID has no thread named bareloop-N"
    else
        for ((i = 0; i < ${#of_loop[@]}; i++)); do
            pinned+="${pinned:+ }${of_loop[$i]:-?}"
        done
        wanted=${CPUS[*]}
        if [[ $pinned == "$wanted" ]]; then
            fact pinning "$pinned" "$wanted" applied ''
        else
            fact pinning "$pinned" "$wanted" differs \
                "start the server with --cpus $(application_cpus), or give tune its --cpus"
        fi
    fi
    locality_filter
}

# End to end: SO_INCOMING_CPU of each connection, asked by a duplicate of its descriptor, against
# the CPU of the loop that has it.
locality_filter() {
    local counts matches=0 total=0 loop cpu connections matching spread
    if ! need perl perl-base; then
        fact 'reuseport filter' '' '' unknown "$CAUSE"
        return
    fi
    if ! counts=$("$TUNE_DIR/libexec/incoming-cpu" "$OPTION_PID" 2>&1); then
        errno_text "$counts"
        fact 'reuseport filter' '' 'all connections' unknown "$ERRNO_TEXT"
        return
    fi
    while read -r loop cpu connections matching; do
        [[ $loop == bareloop-* ]] || continue
        total=$((total + connections))
        matches=$((matches + matching))
    done < <(printf '%s\n' "$counts")
    spread=$(locality_spread "$counts")
    if ((total == 0)); then
        fact 'reuseport filter' '' 'all connections' unknown \
            'no connection to look at: look again under load'
    elif ((matches == total)); then
        fact 'reuseport filter' "$matches of $total" 'all connections' applied \
            "received on their loop's CPU; per loop: $spread"
    else
        fact 'reuseport filter' "$matches of $total" 'all connections' differs \
            "received on their loop's CPU; apply this step, then restart the server; per loop: $spread"
    fi
}

# The filter makes the loops inherit the spread of the queues, which need not be even.
locality_spread() {
    local loop cpu connections spread=''
    while read -r loop cpu connections _; do
        [[ $loop == bareloop-* ]] || continue
        spread+="${spread:+ }$connections"
    done < <(printf '%s\n' "$1")
    printf '%s' "$spread"
}
