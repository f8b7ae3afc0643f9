# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # Variables are set and read in other files.
# State: what was there before. A JSON file with one record per line.
#
#   {"format":1,
#   "host":{"boot_id":"...","kernel":"...","iface":"...",...},
#   "confirm":{"token":"","deadline":"","steps":""},
#   "knobs":[
#   {"seq":1,"step":5,"knob":"...","kind":"...","arg":"...","original":"...","ours":"...","time":"..."}
#   ]}
#
# The file is read back by the patterns below, and by nothing else: what does not match is an
# error. A record is used only if its kind says that it may write this value to this argument.

readonly STATE_FORMAT=1
readonly RECORDS_MAX=10000

# Records by seq, a sparse array: seq only grows, so its order is the order of writing.
R_STEP=()
R_KNOB=()
R_KIND=()
R_ARG=()
R_ORIGINAL=()
R_OURS=()
R_TIME=()

declare -A STATE_HOST=() # As the file has it.
CONFIRM_TOKEN=''
CONFIRM_DEADLINE=''
CONFIRM_STEPS=''
LOCK=''

readonly JSON_TEXT='"(([^"\\]|\\.)*)"'

# json_decode TEXT: DECODED. Only escapes that json_string makes.
json_decode() {
    local text=$1
    if [[ $text != *\\* ]]; then
        DECODED=$text
        return 0
    fi
    [[ $text =~ ^([^\\]|\\[\"\\nrt]|\\u00[0-7][0-9a-f])*$ ]] || return 1
    # %b knows all of them but \".
    text=${text//\\\\/\\x5c}
    text=${text//\\\"/\\x22}
    printf -v DECODED '%b' "$text"
}

# state_members LINE: MEMBERS, of one flat object whose values are strings or numbers.
state_members() {
    local rest=$1 key
    declare -gA MEMBERS=()
    [[ $rest == '{'*'}' ]] || return 1
    rest=${rest:1:-1}
    while [[ $rest ]]; do
        [[ $rest =~ ^\"([a-z_]+)\": ]] || return 1
        key=${BASH_REMATCH[1]}
        rest=${rest:${#BASH_REMATCH[0]}}
        if [[ $rest =~ ^([0-9]{1,9})(,|$) ]]; then
            MEMBERS[$key]=${BASH_REMATCH[1]}
            rest=${rest:${#BASH_REMATCH[0]}}
        elif [[ $rest =~ ^$JSON_TEXT(,|$) ]]; then
            rest=${rest:${#BASH_REMATCH[0]}}
            json_decode "${BASH_REMATCH[1]}" || return 1
            MEMBERS[$key]=$DECODED
        else
            return 1
        fi
    done
}

# Refuses a file or a directory that someone else can write: what state says is written to the host.
state_trusted() {
    local directory owner mode
    [[ ! -L $OPTION_STATE ]] || fail "--state: $OPTION_STATE is a symbolic link"
    if [[ -e $OPTION_STATE ]]; then
        [[ -f $OPTION_STATE ]] || fail "--state: $OPTION_STATE is no file"
        read -r owner mode < <(stat -c '%u %a' -- "$OPTION_STATE")
        ((owner == EUID || owner == 0)) || fail "--state: $OPTION_STATE belongs to user $owner"
        (((8#$mode & 8#022) == 0)) || fail "--state: others may write $OPTION_STATE (mode $mode)"
    fi
    directory=$(dirname -- "$OPTION_STATE")
    [[ -d $directory ]] || return 0
    directory=$(readlink -f -- "$directory")
    read -r owner mode < <(stat -c '%u %a' -- "$directory")
    ((owner == EUID || owner == 0)) || fail "--state: $directory belongs to user $owner"
    (((8#$mode & 8#022) == 0)) || fail "--state: others may write $directory (mode $mode)"
    while [[ $directory != / ]]; do
        directory=$(dirname -- "$directory")
        read -r owner mode < <(stat -c '%u %a' -- "$directory")
        ((owner == EUID || owner == 0)) || fail "--state: $directory belongs to user $owner"
        # In a sticky directory only the owner renames what is his.
        (((8#$mode & 8#022) == 0 || (8#$mode & 8#1000) != 0)) ||
            fail "--state: others may write $directory (mode $mode)"
    done
}

# The interface and the CPUs that state was made for, before anything else is known; or ''.
state_peek() {
    STATE_IFACE='' STATE_CPUS=''
    [[ -f $OPTION_STATE && -r $OPTION_STATE ]] || return 0
    state_load
    STATE_IFACE=${STATE_HOST[iface]:-}
    if [[ $STATE_IFACE ]]; then
        iface_name_valid "$STATE_IFACE" || fail "state $OPTION_STATE: '$STATE_IFACE' is no interface"
    fi
    STATE_CPUS=${STATE_HOST[cpus]:-}
}

# The same names mean other things in another network namespace.
state_same_netns() {
    if ((${#R_STEP[@]} > 0)) && [[ ${STATE_HOST[netns]:-} != "$NETNS" ]]; then
        if [[ ${STATE_HOST[netns]:-} ]]; then
            fail "state $OPTION_STATE is that of a namespace: give --netns ${STATE_HOST[netns]}"
        fi
        fail "state $OPTION_STATE is not that of netns $NETNS"
    fi
}

state_same_device() {
    local mac=${STATE_HOST[mac]:-}
    if [[ $mac && $MAC && $mac != "$MAC" && $IFACE == "${STATE_HOST[iface]:-}" ]] && ((!FORCE)); then
        fail "interface $IFACE is another device now: MAC $MAC, when applied $mac; --force reverts it"
    fi
}

# state_lock: one run at a time. The lock is on the directory, in which nothing is made for it.
state_lock() {
    local directory
    directory=$(dirname -- "$OPTION_STATE")
    if [[ ! -d $directory ]]; then
        (umask 077 && mkdir -p -- "$directory") || fail "--state: cannot make $directory"
    fi
    state_trusted
    need flock util-linux || fail "$CAUSE"
    exec {LOCK}<"$directory"
    local seconds=10
    [[ ! $TIMER_TOKEN ]] || seconds=600 # The dead-man timer has nobody to try again for it.
    flock -w "$seconds" "$LOCK" || fail "another tune works with $directory; try again"
}

state_load() {
    local line number=0 seq
    R_STEP=() R_KNOB=() R_KIND=() R_ARG=() R_ORIGINAL=() R_OURS=() R_TIME=()
    STATE_HOST=()
    CONFIRM_TOKEN='' CONFIRM_DEADLINE='' CONFIRM_STEPS=''
    [[ -e $OPTION_STATE || -L $OPTION_STATE ]] || return 0
    state_trusted
    [[ -r $OPTION_STATE ]] || fail "state $OPTION_STATE: cannot be read; needs root"
    while IFS= read -r line || [[ $line ]]; do
        number=$((number + 1))
        ((number <= RECORDS_MAX)) || fail "state $OPTION_STATE: more than $RECORDS_MAX lines"
        case $line in
        "{\"format\":$STATE_FORMAT," | '"knobs":[' | ']}') continue ;;
        '"host":'*)
            state_members "$(state_bare "${line#\"host\":}")" || state_broken "$number"
            for seq in "${!MEMBERS[@]}"; do
                STATE_HOST[$seq]=${MEMBERS[$seq]}
            done
            continue
            ;;
        '"confirm":'*)
            state_members "$(state_bare "${line#\"confirm\":}")" || state_broken "$number"
            CONFIRM_TOKEN=${MEMBERS[token]:-}
            CONFIRM_DEADLINE=${MEMBERS[deadline]:-}
            CONFIRM_STEPS=${MEMBERS[steps]:-}
            [[ $CONFIRM_TOKEN =~ ^[0-9a-f-]*$ && $CONFIRM_DEADLINE =~ ^[0-9]*$ &&
                $CONFIRM_STEPS =~ ^[0-9\ ]*$ ]] || state_broken "$number"
            continue
            ;;
        '{"seq":'*) ;;
        *) state_broken "$number" ;;
        esac
        state_members "${line%,}" || state_broken "$number"
        seq=${MEMBERS[seq]:-}
        [[ $seq =~ ^[1-9][0-9]*$ && ${MEMBERS[step]:-} =~ ^([1-9]|10)$ ]] || state_broken "$number"
        if ! { knob_valid "${MEMBERS[kind]:-}" "${MEMBERS[arg]:-}" "${MEMBERS[original]:-}" &&
            knob_valid "${MEMBERS[kind]}" "${MEMBERS[arg]}" "${MEMBERS[ours]:-}"; }; then
            fail "state $OPTION_STATE, line $number: tune does not write such a value;" \
                "repair the line or move the file away"
        fi
        R_STEP[seq]=${MEMBERS[step]}
        R_KNOB[seq]=${MEMBERS[knob]:-}
        R_KIND[seq]=${MEMBERS[kind]}
        R_ARG[seq]=${MEMBERS[arg]}
        R_ORIGINAL[seq]=${MEMBERS[original]}
        R_OURS[seq]=${MEMBERS[ours]}
        R_TIME[seq]=${MEMBERS[time]:-}
    done <"$OPTION_STATE"
}

state_bare() {
    printf '%s' "${1%,}"
}

state_broken() {
    fail "state $OPTION_STATE, line $1: not as tune writes it; repair the line or move the file away"
}

# state_save: whole or not at all, also where the power fails; without records, no file.
state_save() {
    local directory temporary seq text last=''
    directory=$(dirname -- "$OPTION_STATE")
    if ((${#R_STEP[@]} == 0)); then
        if ! { rm -f -- "$OPTION_STATE" && sync -- "$directory"; }; then
            fail "state $OPTION_STATE: cannot be removed"
        fi
        return
    fi
    json_object boot_id "$BOOT_ID" kernel "$KERNEL" iface "${STATE_HOST[iface]-$IFACE}" \
        mac "${STATE_HOST[mac]-$MAC}" driver "${STATE_HOST[driver]-$DRIVER}" netns "$NETNS" \
        cpus "${STATE_HOST[cpus]-}" \
        time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    text="{\"format\":$STATE_FORMAT,"$'\n'"\"host\":$JSON_OBJECT,"$'\n'
    json_object token "$CONFIRM_TOKEN" deadline "$CONFIRM_DEADLINE" steps "$CONFIRM_STEPS"
    text+="\"confirm\":$JSON_OBJECT,"$'\n"knobs":['$'\n'
    for seq in "${!R_STEP[@]}"; do
        json_object "=seq" "$seq" "=step" "${R_STEP[seq]}" knob "${R_KNOB[seq]}" kind "${R_KIND[seq]}" \
            arg "${R_ARG[seq]}" original "${R_ORIGINAL[seq]}" ours "${R_OURS[seq]}" time "${R_TIME[seq]}"
        text+="$last$JSON_OBJECT"
        last=$',\n'
    done
    temporary=$(umask 077 && mktemp -- "$directory/.state.XXXXXX") ||
        fail "state: cannot make a file in $directory"
    # -T: a directory or a link of that name is replaced or refused, never entered.
    if ! { printf '%s\n]}\n' "$text" >"$temporary" && sync -- "$temporary" &&
        mv -fT -- "$temporary" "$OPTION_STATE" && sync -- "$directory"; }; then
        rm -f -- "$temporary"
        fail "state $OPTION_STATE: cannot be written"
    fi
}

# state_find STEP KIND ARG: SEQ of its record, or ''.
state_find() {
    SEQ=''
    local seq
    for seq in "${!R_STEP[@]}"; do
        if [[ ${R_STEP[seq]} == "$1" && ${R_KIND[seq]} == "$2" && ${R_ARG[seq]} == "$3" ]]; then
            SEQ=$seq
            return 0
        fi
    done
    return 1
}

# state_add STEP KNOB KIND ARG ORIGINAL OURS: SEQ
state_add() {
    local seqs=("${!R_STEP[@]}")
    SEQ=1
    if ((${#seqs[@]} > 0)); then
        SEQ=$((seqs[-1] + 1))
    fi
    R_STEP[SEQ]=$1
    R_KNOB[SEQ]=$2
    R_KIND[SEQ]=$3
    R_ARG[SEQ]=$4
    R_ORIGINAL[SEQ]=$5
    R_OURS[SEQ]=$6
    R_TIME[SEQ]=$(date -u +%Y-%m-%dT%H:%M:%SZ)
}

state_drop() {
    unset "R_STEP[$1]" "R_KNOB[$1]" "R_KIND[$1]" "R_ARG[$1]" "R_ORIGINAL[$1]" "R_OURS[$1]" "R_TIME[$1]"
}

# state_after_reboot: what lived in the kernel's memory went with it; only files outlive a boot.
state_after_reboot() {
    local seq dropped=0
    [[ ${STATE_HOST[boot_id]:-$BOOT_ID} != "$BOOT_ID" ]] || return 0
    for seq in "${!R_STEP[@]}"; do
        [[ ${R_KIND[seq]} != bootline ]] || continue
        state_drop "$seq"
        dropped=$((dropped + 1))
    done
    warn "the host has been started anew: $dropped settings in $OPTION_STATE went with the old" \
        "boot and are dropped"
    STATE_HOST=()
    CONFIRM_TOKEN='' CONFIRM_DEADLINE='' CONFIRM_STEPS=''
}
