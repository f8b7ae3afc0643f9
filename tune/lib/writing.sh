# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # Variables are set and read in other files.
# apply: read, save the original, write, read back.

# run_command COMMAND: OUTPUT and status. bash, for its errors carry the errno's text; and without
# our lock, which a program that goes on in the background would keep.
run_command() {
    local status=0
    CACHE=()
    if [[ $LOCK ]]; then
        OUTPUT=$(bash -c "$1" 2>&1 </dev/null {LOCK}<&-) || status=$?
    else
        OUTPUT=$(bash -c "$1" 2>&1 </dev/null) || status=$?
    fi
    CACHE=()
    return "$status"
}

apply() {
    select_steps "${SELECTORS[@]}"
    if ((DRY_RUN)); then
        plan
        return
    fi
    knobs_declare "${SELECTED_STEPS[@]}"
    ((${#K_STEP[@]} > 0)) || fail "${SELECTORS[*]}: no such knob"
    apply_check_risks
    state_lock
    state_load
    state_after_reboot
    apply_check_state
    apply_precondition
    rows_begin

    local step
    for step in "${SELECTED_STEPS[@]}"; do
        apply_step "$step" || break
    done
    timer_arm
    result_status
    rows_end "$STATUS"
    end "$STATUS"
}

# apply_step STEP: 1 where to stop.
apply_step() {
    local step=$1 i=0 stop=0
    declare -A handled=()
    knobs_declare "$step"
    while ((i < ${#K_STEP[@]})); do
        if [[ ${K_KIND[i]} == fact || ${handled["${K_KNOB[i]}"]:-} ]]; then
            i=$((i + 1))
            continue
        fi
        handled["${K_KNOB[i]}"]=1
        if ! apply_knob "$i" && ((!KEEP_GOING)); then
            warn "stopped at step $step, ${K_KNOB[i]}; --keep-going goes on"
            stop=1
            break
        fi
        if ((WRITTEN)) && [[ ${K_KIND[i]} == channels ]]; then
            knobs_declare "$step" # Other queues, other knobs.
            i=0
            continue
        fi
        i=$((i + 1))
    done
    # What is only looked at, as it is after the writes.
    knobs_declare "$step"
    for i in "${!K_STEP[@]}"; do
        if [[ ${K_KIND[i]} == fact ]]; then
            knob_count "$i"
            knob_row "$i"
        fi
    done
    return "$stop"
}

# Before anything is written: what needs --accept and has it not.
apply_check_risks() {
    local i risk
    declare -A needed=()
    for i in "${!K_STEP[@]}"; do
        knob_evaluate "$i"
        [[ ${K_STATE[i]} == differs && ${K_KIND[i]} != fact ]] || continue
        [[ ${K_KIND[i]} != bootline ]] || ((WRITE_BOOTLOADER)) || continue
        for risk in ${K_RISK[i]//,/ }; do
            case $risk in
            security | connectivity)
                [[ ${ACCEPTED[$risk]:-} ]] || needed[$risk]+=" ${K_STEP[i]}/${K_KNOB[i]}"
                ;;
            esac
        done
    done
    ((${#needed[@]} == 0)) && return
    for risk in "${!needed[@]}"; do
        warn "apply: needs --accept $risk:${needed[$risk]}"
    done
    fail "nothing is written; all-safe leaves these steps out"
}

apply_check_state() {
    # After a reboot the record of the boot loader is left, and is no interface's.
    if ((${#R_STEP[@]} > 0)) && [[ ${STATE_HOST[iface]:-} && ${STATE_HOST[iface]} != "$IFACE" ]]; then
        fail "state $OPTION_STATE is that of interface ${STATE_HOST[iface]:-none}, this is" \
            "${IFACE:-none}: revert first, or take another --state"
    fi
    state_same_netns
    state_same_device
    STATE_HOST['iface']=$IFACE
    STATE_HOST['mac']=$MAC
    STATE_HOST['driver']=$DRIVER
    local IFS=,
    STATE_HOST['cpus']="${CPUS[*]}"
}

# Busy polling an epoll works if all its sockets share one NAPI: that is what step 5 is for.
apply_precondition() {
    local i
    [[ ${SELECTED[6]:-} && ! ${SELECTED[5]:-} ]] || return 0
    SELECTED[5]='*'
    knobs_declare 5
    for i in "${!K_STEP[@]}"; do
        knob_evaluate "$i"
        if [[ ${K_STATE[i]} == differs ]]; then
            warn "step 6 without step 5 (${K_KNOB[i]} differs): a worker polls one NAPI, and its" \
                "connections come from several; apply 5 first"
            break
        fi
    done
    unset 'SELECTED[5]'
}

# apply_knob INDEX: 1 where a write failed.
apply_knob() {
    local i=$1
    local kind=${K_KIND[i]} arg=${K_ARG[i]} target=${K_TARGET[i]} original command added=0
    WRITTEN=0
    knob_evaluate "$i"
    original=${K_CURRENT[i]}
    if [[ ${K_STATE[i]} != differs ]]; then
        knob_count "$i"
        knob_row "$i"
        return 0
    fi
    knob_command "$kind" "$arg" "$target"
    command=$COMMAND
    if [[ $kind == bootline ]] && ((!WRITE_BOOTLOADER)); then
        K_REASON[i]+="; not written: --write-bootloader; by hand: $command"
        result_count differs
        knob_row "$i" "$command"
        return 0
    fi
    if ! knob_valid "$kind" "$arg" "$original" || ! knob_valid "$kind" "$arg" "$target"; then
        # Its original could not be read back from state.
        K_STATE[i]=unsupported
        K_REASON[i]="the value '$original' is none that tune could put back; left alone"
        result_count unsupported
        knob_row "$i"
        return 0
    fi

    if state_find "${K_STEP[i]}" "$kind" "$arg"; then
        R_OURS[SEQ]=$target # The first original stays.
    else
        state_add "${K_STEP[i]}" "${K_KNOB[i]}" "$kind" "$arg" "$original" "$target"
        added=1
    fi
    state_save

    if ! run_command "$command"; then
        apply_refused "$i" "$added" "$original" "$command"
        return
    fi
    WRITTEN=1
    knob_evaluate "$i"
    if [[ ${K_STATE[i]} == differs || ${K_STATE[i]} == unsupported || ${K_STATE[i]} == unknown ]]; then
        K_STATE[i]=differs
        K_REASON[i]="written, but it reads back as '${K_CURRENT[i]}'${CAUSE:+ ($CAUSE)}; was '$original'"
        RESULT_ERROR=1
        knob_row "$i" "$command"
        return 1
    fi
    if [[ ${R_OURS[SEQ]} != "${K_CURRENT[i]}" ]]; then
        R_OURS[SEQ]=${K_CURRENT[i]} # The kernel's own form of it.
        state_save
    fi
    if [[ $kind == bootline ]]; then
        K_STATE[i]=needs-reboot
        K_REASON[i]='written; takes effect with the next boot'
    else
        knob_display "$kind" "$arg" "$original"
        brief "$BRIEF" 40
        K_REASON[i]="was $BRIEF${K_REASON[i]:+; ${K_REASON[i]}}"
    fi
    if [[ ${K_RISK[i]} == *connectivity* ]]; then
        timer_wanted "${K_STEP[i]}"
    fi
    knob_row "$i" "$command"
}

# apply_refused INDEX ADDED ORIGINAL COMMAND
apply_refused() {
    local i=$1 kind=${K_KIND[$1]} said=$OUTPUT errno
    errno_text "$said"
    errno=$ERRNO_TEXT
    if (($2)) && knob_read "$kind" "${K_ARG[i]}" && [[ $VALUE == "$3" ]]; then
        state_drop "$SEQ" # Nothing has changed.
        state_save
    fi
    cause_of "$kind" "${K_ARG[i]}" "$errno"
    K_REASON[i]="refused: $errno${CAUSE:+: $CAUSE}"
    case $errno in
    *'not supported'* | 'Input/output error')
        # The host's answer is no; that is not our failure.
        K_STATE[i]=unsupported
        result_count unsupported
        knob_row "$i" "$4"
        return 0
        ;;
    esac
    RESULT_ERROR=1
    knob_row "$i" "$4"
    warn "step ${K_STEP[i]}, ${K_KNOB[i]}: $4: ${said##*$'\n'}"
    return 1
}
