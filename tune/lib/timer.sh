# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # Variables are set and read in other files.
# The dead-man timer: a change that may cut the line we type on is taken back unless confirmed.

declare -A TIMER_STEPS=()

timer_wanted() {
    TIMER_STEPS[$1]=1
}

timer_arm() {
    local steps log
    ((${#TIMER_STEPS[@]} > 0 && CONFIRM_SECONDS > 0)) || return 0
    read -r -a steps < <(printf '%s\n' "${!TIMER_STEPS[*]} $CONFIRM_STEPS")
    mapfile -t steps < <(printf '%s\n' "${steps[@]}" | sort -nu)
    CONFIRM_STEPS=${steps[*]}
    CONFIRM_TOKEN=$(cat /proc/sys/kernel/random/uuid)
    CONFIRM_DEADLINE=$((EPOCHSECONDS + CONFIRM_SECONDS))
    state_save

    # Its own session and no descriptor of ours: it outlives the terminal, the lock and a pipe.
    log=${OPTION_STATE%.json}.timer.log
    rm -f -- "$log"
    # shellcheck disable=SC2016 # The inner shell expands it.
    (
        umask 077
        exec {LOCK}<&-
        TUNE_INSIDE_NETNS=$NETNS setsid bash -c '
            sleep "$1"
            shift
            exec "$@"
        ' tune-timer "$CONFIRM_SECONDS" "$TUNE" revert "${steps[@]}" --state "$OPTION_STATE" \
            ${NETNS:+--netns "$NETNS"} --timer-token "$CONFIRM_TOKEN" \
            </dev/null >"$log" 2>&1 3>&- 4>&- 5>&- &
    )
    local state=''
    [[ $OPTION_STATE == "$STATE_FILE_DEFAULT" ]] || state=" --state $OPTION_STATE"
    warn "steps $CONFIRM_STEPS are reverted in $CONFIRM_SECONDS s unless you run:" \
        "$TUNE confirm$state${NETNS:+ --netns $NETNS} (log: $log)"
}

# In a revert: nothing left to confirm.
timer_disarm_without_records() {
    local seq
    for seq in "${!R_STEP[@]}"; do
        if [[ " $CONFIRM_STEPS " == *" ${R_STEP[seq]} "* ]] && [[ ! $TIMER_TOKEN ]]; then
            return
        fi
    done
    CONFIRM_TOKEN='' CONFIRM_DEADLINE='' CONFIRM_STEPS=''
}

confirm() {
    state_lock
    state_load
    state_same_netns
    state_after_reboot
    if [[ ! $CONFIRM_TOKEN ]]; then
        warn "confirm: nothing waits for it in $OPTION_STATE"
        end "$EXIT_DIFFERS"
    fi
    printf 'kept: steps %s\n' "$CONFIRM_STEPS"
    CONFIRM_TOKEN='' CONFIRM_DEADLINE='' CONFIRM_STEPS=''
    state_save
}
