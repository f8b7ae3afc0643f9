# shellcheck shell=bash
# Step 1: the application. The article's gains came from using every CPU, from -O3 and from recv
# and send in place of read and write; the server has those built in. What is left to its user are
# the JVM's flags, the number of loops and the number of descriptors.
step 1 application '+55 %' 'JVM flags, server options, open files'

readonly NOFILE_MIN=1048576
readonly JVM_OPTIONS="$TUNE_DIR/jvm.options"

knobs_of_application() {
    local flag flags missing_flags='' arguments='' environment='' limit soft hard wanted
    mapfile -t flags < <(sed -n '/^-/p' "$JVM_OPTIONS")

    if [[ ! $OPTION_PID ]]; then
        fact jvm.options '' "java @$JVM_OPTIONS" unknown 'give --pid to check a server'
        fact loops '' "one per CPU: ${#CPUS[@]}" unknown 'give --pid to check a server'
        fact nofile '' "$NOFILE_MIN" unknown 'give --pid to check a server'
        return
    fi

    # The launcher expands @files and JDK_JAVA_OPTIONS by itself: both stay as they were typed.
    arguments=$(tr '\0' '\n' <"$ROOT/proc/$OPTION_PID/cmdline" 2>/dev/null) || arguments=''
    environment=$(tr '\0' '\n' 2>/dev/null <"$ROOT/proc/$OPTION_PID/environ" |
        sed -n 's/^JDK_JAVA_OPTIONS=//p' | tr -s '[:blank:]' '\n') || environment=''
    arguments=$'\n'$arguments$'\n'$environment$'\n'
    if [[ ! $arguments =~ $'\n'@[^$'\n']*jvm\.options$'\n' ]]; then
        for flag in "${flags[@]}"; do
            [[ $arguments == *$'\n'"$flag"$'\n'* ]] || missing_flags+="${missing_flags:+ }$flag"
        done
    fi
    if [[ $missing_flags ]]; then
        fact jvm.options "${#flags[@]} flags, some missing" "java @$JVM_OPTIONS" differs \
            "missing: $missing_flags; start it with java @$JVM_OPTIONS"
    else
        fact jvm.options "java @$JVM_OPTIONS" "java @$JVM_OPTIONS" applied ''
    fi

    application_loops
    if process_start "$OPTION_PID" && file_text "/proc/$OPTION_PID/limits" &&
        [[ $TEXT =~ Max\ open\ files[[:space:]]+([0-9]+|unlimited)[[:space:]]+([0-9]+|unlimited) ]]; then
        soft=${BASH_REMATCH[1]} hard=${BASH_REMATCH[2]}
        wanted=$NOFILE_MIN
        first_line /proc/sys/fs/nr_open
        if [[ $LINE =~ ^[0-9]+$ ]] && ((LINE < wanted)); then
            wanted=$LINE # The kernel takes no more than this; step 10 raises it.
        fi
        for limit in soft hard; do
            if [[ ${!limit} != unlimited ]] && ((${!limit} < wanted)); then
                printf -v "$limit" '%s' "$wanted"
            fi
        done
        knob prlimit nofile "$OPTION_PID $STARTED" "$soft:$hard"
    else
        fact nofile '' "$NOFILE_MIN" unknown "limits of process $OPTION_PID: needs its user or root"
    fi
}

# Bareloop names its threads bareloop-0, bareloop-1, ... one per loop.
application_loops() {
    local file loops=0
    for file in "$ROOT/proc/$OPTION_PID"/task/*/comm; do
        { read -r LINE <"$file"; } 2>/dev/null || continue
        if [[ $LINE =~ ^bareloop-[0-9]+$ ]]; then
            loops=$((loops + 1))
        fi
    done
    if ((loops == 0)); then
        fact loops 0 "${#CPUS[@]}" unsupported "process $OPTION_PID has no thread named bareloop-N"
    elif ((loops == ${#CPUS[@]})); then
        fact loops "$loops" "${#CPUS[@]}" applied 'one per CPU'
    else
        fact loops "$loops" "${#CPUS[@]}" differs "start the server with --cpus $(application_cpus)"
    fi
}

application_cpus() {
    local IFS=,
    printf '%s' "${CPUS[*]}"
}
