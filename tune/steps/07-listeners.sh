# shellcheck shell=bash
# Step 7: no packet sockets. Each one that listens to all protocols gets a copy of each packet's
# header walk (packet_rcv), whatever it filters out afterwards. The article's was that of dhclient.
#
# Ending dhclient keeps the lease only if the address no longer runs out. Reverted unless confirmed.
step 7 listeners '+6 %' 'no packet sockets (dhclient)'

knobs_of_listeners() {
    local protocol count=0
    if ! file_text /proc/net/packet; then
        fact 'packet sockets' '' none unknown "/proc/net/packet: $ERRNO_TEXT"
        return
    fi
    # sk RefCnt Type Proto Iface R Rmem User Inode; only those that see every packet count.
    while read -r _ _ _ protocol _; do
        case $protocol in
        0003 | 0800) count=$((count + 1)) ;;
        esac
    done < <(printf '%s\n' "$TEXT" | sed 1d)
    if [[ $IFACE ]]; then
        listeners_dhclient
    fi
    if ((count == 0)); then
        fact 'packet sockets' none none applied ''
        return
    fi
    listeners_others "$count"
}

listeners_dhclient() {
    local line
    knob_read dhclient "$IFACE" || return 0
    [[ $VALUE == running* ]] || return 0
    local readonly_cause=$READONLY
    # First the addresses, for without its client a lease runs out.
    if [[ ! $readonly_cause ]] && cached ip -4 -o addr show dev "$IFACE"; then
        while read -r line; do
            if [[ $line =~ inet\ ([0-9.]+/[0-9]+)\ .*valid_lft\ [0-9]+sec ]]; then
                knob lifetime "address ${BASH_REMATCH[1]}" "$IFACE ${BASH_REMATCH[1]}" forever connectivity
            fi
        done < <(printf '%s\n' "$OUTPUT")
    fi
    knob dhclient dhclient "$IFACE" stopped connectivity
}

# listeners_others COUNT: whoever else holds one, by name. tune ends nobody else's programs.
listeners_others() {
    local line names name shown=0
    if ! need ss iproute2; then
        fact 'packet sockets' "$1" none differs "whose they are: $CAUSE"
        return
    fi
    if ! cached ss -0 -n -p -H; then
        errno_text "$OUTPUT"
        fact 'packet sockets' "$1" none differs "ss: $ERRNO_TEXT"
        return
    fi
    names=$(printf '%s\n' "$OUTPUT" | grep -o '("[^"]*",pid=[0-9]*' | sort -u |
        sed 's/("\([^"]*\)",pid=\([0-9]*\)/\1 \2/') || names=''
    while read -r name line; do
        [[ $name && $name != dhclient ]] || continue
        shown=$((shown + 1))
        fact "listener $name" "pid $line" none differs "stop it: $(listeners_advice "$name")"
    done < <(printf '%s\n' "$names")
    if [[ ! $names ]]; then
        if ((EUID == 0)); then
            fact 'packet sockets' "$1" none differs 'held by the kernel or in another pid namespace'
        else
            fact 'packet sockets' "$1" none unknown 'whose they are: needs root'
        fi
    fi
}

listeners_advice() {
    case $1 in
    dhcpcd) echo 'a static address, or systemd-networkd, which listens only while it asks' ;;
    tcpdump | dumpcap | wireshark) echo 'a capture is running' ;;
    systemd-network*) echo 'it listens only while it asks for a lease; look again' ;;
    NetworkManager) echo 'it listens only while it asks for a lease; look again' ;;
    *) echo "systemctl stop $1, or what its manual says" ;;
    esac
}
