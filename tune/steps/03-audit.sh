# shellcheck shell=bash
# shellcheck disable=SC2153 # STARTED is set by process_start.
# Step 3: no work per system call for the audit system, and no seccomp filter.
#
# The rule never,task keeps new tasks out of auditing; a task that was there before keeps its audit
# context, so the rule comes first and the server after.
step 3 audit '+11 %' 'no system call audit, no seccomp'

knobs_of_audit() {
    local filters
    knob audit never,task never,task present security,global

    if [[ ! $OPTION_PID ]]; then
        fact 'rule before server' '' 'server started after' unknown 'give --pid to check a server'
        fact seccomp '' 0 unknown 'give --pid to check a server'
        return
    fi
    audit_order
    if ! file_text "/proc/$OPTION_PID/status"; then
        fact seccomp '' 0 unknown "$ERRNO_TEXT"
        return
    fi
    filters=0
    if [[ $TEXT =~ Seccomp:[[:space:]]*([0-9]+) ]]; then
        filters=${BASH_REMATCH[1]}
    fi
    if ((filters == 0)); then
        fact seccomp 0 0 applied ''
    else
        fact seccomp "$filters" 0 differs \
            'start it without: docker run --security-opt seccomp=unconfined, no SystemCallFilter= in the unit'
    fi
}

# The audit system does not tell since when it has a rule; our own record does.
audit_order() {
    local hertz uptime started added
    if ! [[ -r $OPTION_STATE ]]; then
        fact 'rule before server' '' 'server started after' unknown "no record in $OPTION_STATE"
        return
    fi
    state_load
    if ! state_find 3 audit never,task; then
        fact 'rule before server' '' 'server started after' unknown 'the rule is not of our making'
        return
    fi
    added=$(date -d "${R_TIME[SEQ]}" +%s 2>/dev/null) || added=0
    hertz=$(getconf CLK_TCK)
    process_start "$OPTION_PID" || return 0
    first_line /proc/uptime
    uptime=${LINE%%.*}
    started=$((EPOCHSECONDS - uptime + STARTED / hertz))
    if ((started >= added)); then
        fact 'rule before server' 'server started after' 'server started after' applied ''
    else
        fact 'rule before server' 'server started before' 'server started after' differs \
            'restart the server: its threads are audited as before'
    fi
}
