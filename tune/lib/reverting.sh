# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # Variables are set and read in other files.
# revert: the originals, last change first.

REVERTED_COMMANDS=() # What was done, for sh.

revert() {
    local seqs i seq
    ((${#SELECTORS[@]} > 0)) || SELECTORS=(all)
    select_steps "${SELECTORS[@]}"
    state_lock
    state_load
    state_same_netns
    state_same_device
    if [[ $TIMER_TOKEN && $TIMER_TOKEN != "$CONFIRM_TOKEN" ]]; then
        return 0 # Confirmed, or reverted, meanwhile.
    fi
    state_after_reboot
    rows_begin
    seqs=("${!R_STEP[@]}")
    for ((i = ${#seqs[@]} - 1; i >= 0; i--)); do
        seq=${seqs[i]}
        selected "${R_STEP[seq]}" "${R_KNOB[seq]}" || continue
        revert_record "$seq"
    done
    if [[ $CONFIRM_TOKEN ]]; then
        timer_disarm_without_records
    fi
    if ((!DRY_RUN)); then
        state_save
    fi
    if ((!JSON)) && ((${#REVERTED_COMMANDS[@]} > 0)); then
        printf '\n# The same by hand:\n'
        plan_begin revert
        printf '%s\n' "${REVERTED_COMMANDS[@]}"
        plan_end
    fi
    result_status
    rows_end "$STATUS"
    end "$STATUS"
}

# revert_row SEQ CURRENT STATE REASON [COMMAND]
revert_row() {
    local current=$2 original=${R_ORIGINAL[$1]}
    if ((!JSON)); then
        knob_display "${R_KIND[$1]}" "${R_ARG[$1]}" "$current"
        current=$BRIEF
        knob_display "${R_KIND[$1]}" "${R_ARG[$1]}" "$original"
        original=$BRIEF
    fi
    row "${R_STEP[$1]}" "${R_KNOB[$1]}" "$current" "$original" "$3" "$4" '' "${5:-}"
}

revert_record() {
    local seq=$1 kind=${R_KIND[$1]} arg=${R_ARG[$1]} original=${R_ORIGINAL[$1]} ours=${R_OURS[$1]}
    local current later status=0 errno

    # A later step holds the same knob: the original goes to its record, and nothing is written.
    for later in "${!R_STEP[@]}"; do
        ((later > seq)) || continue
        if [[ ${R_KIND[later]} == "$kind" && ${R_ARG[later]} == "$arg" ]]; then
            R_ORIGINAL[later]=$original
            revert_row "$seq" "${R_OURS[later]}" applied "step ${R_STEP[later]} goes on with it"
            state_drop "$seq"
            return
        fi
    done

    knob_read "$kind" "$arg" || status=$?
    current=$VALUE
    if ((status != 0)); then
        if [[ $kind == prlimit && $CAUSE == *'has ended' ]]; then
            revert_row "$seq" '' dropped "$CAUSE"
            state_drop "$seq"
            return
        fi
        if ((FORCE)); then
            revert_row "$seq" '' dropped "--force; it cannot be read: $CAUSE"
            state_drop "$seq"
            return
        fi
        warn "step ${R_STEP[seq]}, ${R_KNOB[seq]} ($arg): gone, its original was '$original': $CAUSE;" \
            "--force forgets it"
        revert_row "$seq" '' gone "$CAUSE"
        RESULT_ERROR=1
        return
    fi
    if knob_same "$kind" "$arg" "$current" "$original"; then
        revert_row "$seq" "$current" reverted 'it is the original already'
        revert_finish "$seq"
        return
    fi
    knob_command "$kind" "$arg" "$original"
    if ((!FORCE)) && ! knob_same "$kind" "$arg" "$current" "$ours"; then
        revert_row "$seq" "$current" skipped \
            "someone else has changed it (ours was '$ours'); --force reverts it" "$COMMAND"
        RESULT_DIFFERS=1
        return
    fi
    REVERTED_COMMANDS+=("$COMMAND")
    if ((DRY_RUN)); then
        revert_row "$seq" "$current" planned '' "$COMMAND"
        return
    fi
    if ! run_command "$COMMAND"; then
        errno_text "$OUTPUT"
        errno=$ERRNO_TEXT
        cause_of "$kind" "$arg" "$errno"
        revert_row "$seq" "$current" differs "refused: $errno${CAUSE:+: $CAUSE}" "$COMMAND"
        warn "step ${R_STEP[seq]}, ${R_KNOB[seq]}: $COMMAND: ${OUTPUT##*$'\n'}"
        RESULT_ERROR=1
        return
    fi
    if ! knob_read "$kind" "$arg" || ! knob_same "$kind" "$arg" "$VALUE" "$original"; then
        revert_row "$seq" "$VALUE" differs "written, but it reads back as '$VALUE'" "$COMMAND"
        RESULT_ERROR=1
        return
    fi
    if [[ $kind == bootline ]]; then
        revert_row "$seq" "$VALUE" needs-reboot 'takes effect with the next boot' "$COMMAND"
    else
        revert_row "$seq" "$current" reverted '' "$COMMAND"
    fi
    revert_finish "$seq"
}

# The record goes once the original is back, one at a time: an interrupted revert can go on.
revert_finish() {
    ((DRY_RUN)) && return
    if [[ ${R_KIND[$1]} == bootline ]]; then
        case ${R_ARG[$1]} in
        grub:*) rm -f -- "$ROOT${R_ARG[$1]#grub:}.before-bareloop-tune" ;;
        kernel-cmdline) rm -f -- "$ROOT/etc/kernel/cmdline.before-bareloop-tune" ;;
        esac
    fi
    state_drop "$1"
    state_save
}
