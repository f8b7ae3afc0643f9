# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # Variables are set and read in other files.
# Steps and their knobs: parallel arrays, filled by the files under steps/ from what is there now.

readonly STEPS_MAX=10

STEP_NAME=()   # By the step's number.
STEP_GAIN=()   # The article's.
STEP_TITLE=()

K_STEP=()      # By the knob's index.
K_KNOB=()      # The name in the row.
K_KIND=()
K_ARG=()
K_TARGET=()
K_RISK=()      # Of security, connectivity, global, cpu-cost; separated by commas.
K_CURRENT=()
K_STATE=()
K_REASON=()
K_CONFLICT=()  # Why the knob must not be written, where it differs.
K_NAMED=()     # Whether a selector names this very knob.

# step NUMBER NAME GAIN TITLE: the head of each file under steps/.
step() {
    STEP_NAME[$1]=$2
    STEP_GAIN[$1]=$3
    STEP_TITLE[$1]=$4
}

steps_load() {
    local file
    for file in "$TUNE_DIR"/steps/[0-9][0-9]-*.sh; do
        # shellcheck source=/dev/null
        source "$file"
    done
}

# --- Selection ---------------------------------------------------------------------------------

declare -A SELECTED=()  # Step number -> '*' or patterns of knobs, separated by newlines.
SELECTED_STEPS=()       # In the article's order.
SAFE_ONLY=0

step_number() {
    local i
    NUMBER=''
    if [[ $1 =~ ^[0-9]{1,2}$ ]] && ((10#$1 >= 1 && 10#$1 <= STEPS_MAX)); then
        NUMBER=$((10#$1))
        return 0
    fi
    for ((i = 1; i <= STEPS_MAX; i++)); do
        if [[ ${STEP_NAME[i]} == "$1" ]]; then
            NUMBER=$i
            return 0
        fi
    done
    fail "$1: no such step; there are 1 to $STEPS_MAX, all, all-safe (tune --help names them)"
}

# select_steps SELECTOR...: the order given does not matter, the article's order holds.
select_steps() {
    local selector i from knob
    SELECTED=()
    for selector in "$@"; do
        knob='*'
        case $selector in
        all | all-safe)
            for ((i = 1; i <= STEPS_MAX; i++)); do
                SELECTED[$i]='*'
            done
            [[ $selector == all ]] || SAFE_ONLY=1
            continue
            ;;
        */*)
            knob=${selector#*/}
            selector=${selector%%/*}
            step_number "$selector"
            [[ ${SELECTED[$NUMBER]:-} == '*' ]] || SELECTED[$NUMBER]+="${SELECTED[$NUMBER]:+$'\n'}$knob"
            continue
            ;;
        [0-9]*-[0-9]*)
            step_number "${selector%%-*}"
            from=$NUMBER
            step_number "${selector#*-}"
            ((from <= NUMBER)) || fail "$selector: the range is empty"
            for ((i = from; i <= NUMBER; i++)); do
                SELECTED[$i]='*'
            done
            continue
            ;;
        esac
        step_number "$selector"
        SELECTED[$NUMBER]='*'
    done
    SELECTED_STEPS=()
    for ((i = 1; i <= STEPS_MAX; i++)); do
        if [[ ${SELECTED[$i]:-} ]]; then
            SELECTED_STEPS+=("$i")
        fi
    done
}

# selected STEP KNOB: NAMED tells whether the knob was named itself.
selected() {
    local pattern
    NAMED=0
    [[ ${SELECTED[$1]:-} ]] || return 1
    [[ ${SELECTED[$1]} != '*' ]] || return 0
    while read -r pattern; do
        # shellcheck disable=SC2053 # A pattern it is.
        if [[ $2 == $pattern ]]; then
            NAMED=1
            return 0
        fi
    done < <(printf '%s\n' "${SELECTED[$1]}")
    return 1
}

# --- Declaration, by the files under steps/ -----------------------------------------------------

# knob KIND NAME ARG TARGET [RISK]
knob() {
    knob_add "$2" "$1" "$3" "$4" "${5:-}" '' '' ''
}

# fact NAME CURRENT TARGET STATE REASON: a row that tune reads but never writes.
fact() {
    knob_add "$1" fact '' "$3" '' "$2" "$4" "$5"
}

# missing NAME TARGET CAUSE: a knob this host does not have.
missing() {
    fact "$1" '' "$2" unsupported "$3"
}

# reason TEXT: for the knob declared last, where it differs or is applied.
reason() {
    if ((${#K_STEP[@]} > DECLARED)); then
        K_REASON[-1]=$1
    fi
}

# conflict TEXT: the knob declared last must not be written.
conflict() {
    if ((${#K_STEP[@]} > DECLARED)); then
        K_CONFLICT[-1]=$1
    fi
}

knob_add() {
    DECLARED=${#K_STEP[@]}
    selected "$DECLARING" "$1" || return 0
    if ((SAFE_ONLY)) && [[ $5 =~ security|connectivity ]]; then
        return 0
    fi
    K_STEP+=("$DECLARING")
    K_KNOB+=("$1")
    K_KIND+=("$2")
    K_ARG+=("$3")
    K_TARGET+=("$4")
    K_RISK+=("$5")
    K_CURRENT+=("$6")
    K_STATE+=("$7")
    K_REASON+=("$8")
    K_CONFLICT+=('')
    K_NAMED+=("$NAMED")
}

# knobs_declare STEP...: forgets what was declared before.
knobs_declare() {
    K_STEP=() K_KNOB=() K_KIND=() K_ARG=() K_TARGET=() K_RISK=()
    K_CURRENT=() K_STATE=() K_REASON=() K_CONFLICT=() K_NAMED=()
    for DECLARING in "$@"; do
        "knobs_of_${STEP_NAME[DECLARING]}"
    done
}

# --- Evaluation --------------------------------------------------------------------------------

# knob_evaluate INDEX: reads, and sets K_CURRENT, K_STATE and K_REASON.
knob_evaluate() {
    local i=$1 status=0 kind=${K_KIND[$1]} arg=${K_ARG[$1]}
    [[ $kind != fact ]] || return 0
    knob_read "$kind" "$arg" || status=$?
    K_CURRENT[i]=$VALUE
    case $status in
    0) ;;
    2)
        K_STATE[i]=unknown
        K_REASON[i]=$CAUSE
        return
        ;;
    *)
        K_STATE[i]=unsupported
        K_REASON[i]=$CAUSE
        return
        ;;
    esac
    if knob_same "$kind" "$arg" "$VALUE" "${K_TARGET[i]}"; then
        K_STATE[i]=applied
        K_REASON[i]=${NOTE:-${K_REASON[i]}}
        if [[ $kind == bootline ]] && ((MITIGATIONS_PENDING)); then
            K_STATE[i]=needs-reboot
            K_REASON[i]='written; the running kernel was started without it'
        fi
        return
    fi
    K_STATE[i]=differs
    if [[ $READONLY ]]; then
        K_STATE[i]=unsupported
        K_REASON[i]=$READONLY
    elif [[ ${K_CONFLICT[i]} ]]; then
        K_STATE[i]=conflict
        K_REASON[i]=${K_CONFLICT[i]}
    elif [[ ${K_RISK[i]} == *global* && ! ${ACCEPTED[global]:-} ]] && ((CHILD_NETNS)); then
        K_STATE[i]=unsupported
        K_REASON[i]='the whole host has one of it, not each namespace: --accept global'
    fi
}

# knob_row INDEX [COMMAND]
knob_row() {
    local i=$1 current=${K_CURRENT[$1]} target=${K_TARGET[$1]} why=${K_REASON[$1]}
    if ((!JSON)) && [[ ${K_KIND[i]} != fact ]]; then
        knob_display "${K_KIND[i]}" "${K_ARG[i]}" "$current"
        current=$BRIEF
        knob_display "${K_KIND[i]}" "${K_ARG[i]}" "$target"
        target=$BRIEF
    fi
    if ((!JSON)) && [[ ${K_RISK[i]} && ${K_STATE[i]} == differs ]]; then
        why+="${why:+; }risk: ${K_RISK[i]}"
    fi
    row "${K_STEP[i]}" "${K_KNOB[i]}" "$current" "$target" "${K_STATE[i]}" "$why" \
        "${K_RISK[i]}" "${2:-}"
}

RESULT_DIFFERS=0 RESULT_ERROR=0 RESULT_UNSUPPORTED=0

# Counts a row towards the exit status.
result_count() {
    case $1 in
    differs) RESULT_DIFFERS=1 ;;
    needs-reboot)
        # apply has done what there is to do; verify tells that it is not in force yet.
        [[ $VERB == apply ]] || RESULT_DIFFERS=1
        ;;
    unsupported | conflict) RESULT_UNSUPPORTED=1 ;;
    unknown-root) RESULT_DIFFERS=1 ;; # What nobody could read is not as asked.
    esac
}

result_status() {
    if ((RESULT_ERROR)); then
        STATUS=$EXIT_ERROR
    elif ((RESULT_DIFFERS)); then
        STATUS=$EXIT_DIFFERS
    elif ((RESULT_UNSUPPORTED)); then
        STATUS=$EXIT_UNSUPPORTED
    else
        STATUS=0
    fi
}

knob_count() {
    if [[ ${K_STATE[$1]} == unknown && ${K_KIND[$1]} != fact ]]; then
        result_count unknown-root
    else
        result_count "${K_STATE[$1]}"
    fi
}

# --- The verbs that only read ------------------------------------------------------------------

rows_of_selected() {
    local i
    rows_begin
    knobs_declare "${SELECTED_STEPS[@]}"
    for i in "${!K_STEP[@]}"; do
        knob_evaluate "$i"
        knob_row "$i"
        knob_count "$i"
    done
    ((${#K_STEP[@]} > 0)) || fail "${SELECTORS[*]}: no such knob"
}

status() {
    ((${#SELECTORS[@]} > 0)) || SELECTORS=(all)
    select_steps "${SELECTORS[@]}"
    rows_of_selected
    rows_end 0
}

# Without steps: those that state has a record of.
verify() {
    local seq
    if [[ -r $OPTION_STATE ]]; then
        state_load
        state_same_netns
    fi
    if ((${#SELECTORS[@]} == 0)); then
        for seq in "${!R_STEP[@]}"; do
            SELECTORS+=("${R_STEP[seq]}")
        done
        if ((${#SELECTORS[@]} == 0)); then
            warn "verify: no record to read in $OPTION_STATE; verifying all steps"
            SELECTORS=(all)
        fi
    fi
    select_steps "${SELECTORS[@]}"
    rows_of_selected
    result_status
    rows_end "$STATUS"
    end "$STATUS"
}

# Everything that is no command is a comment, so that the output runs in sh.
plan() {
    local i kind arg undo
    select_steps "${SELECTORS[@]}"
    knobs_declare "${SELECTED_STEPS[@]}"
    ((${#K_STEP[@]} > 0)) || fail "${SELECTORS[*]}: no such knob"
    plan_begin "plan ${SELECTORS[*]}"
    # By kind and argument: what a step before has planned is what a later one finds.
    declare -A planned=()
    for i in "${!K_STEP[@]}"; do
        knob_evaluate "$i"
        if [[ ${planned["${K_KIND[i]} ${K_ARG[i]}"]+x} ]]; then
            K_CURRENT[i]=${planned["${K_KIND[i]} ${K_ARG[i]}"]}
            K_STATE[i]=differs
            if knob_same "${K_KIND[i]}" "${K_ARG[i]}" "${K_CURRENT[i]}" "${K_TARGET[i]}"; then
                K_STATE[i]=applied
            fi
        fi
        knob_count "$i"
        kind=${K_KIND[i]} arg=${K_ARG[i]}
        plan_comment "# ${K_STEP[i]} ${STEP_NAME[K_STEP[i]]}: ${K_KNOB[i]}: "
        if [[ $kind == fact || ${K_STATE[i]} != differs ]]; then
            plan_comment "${K_STATE[i]}${K_REASON[i]:+: ${K_REASON[i]}}" end
            continue
        fi
        knob_display "$kind" "$arg" "${K_CURRENT[i]}"
        brief "$BRIEF" 60
        plan_comment "$BRIEF -> "
        brief "${K_TARGET[i]}" 60
        plan_comment "$BRIEF${K_RISK[i]:+; risk: ${K_RISK[i]}}" end
        knob_command "$kind" "$arg" "${K_TARGET[i]}"
        if [[ $kind == bootline ]] && ((!WRITE_BOOTLOADER)); then
            printf '#   only with --write-bootloader: %s\n' "$COMMAND"
            continue
        fi
        printf '%s\n' "$COMMAND"
        planned["$kind $arg"]=${K_TARGET[i]}
        knob_command "$kind" "$arg" "${K_CURRENT[i]}"
        undo=$COMMAND
        printf '#   undo: %s\n' "${undo//$'\n'/$'\n'#   undo: }"
        if [[ $kind == channels ]]; then
            printf '#   then plan again: other queues, other knobs\n'
        fi
    done
    plan_end
}

plan_comment() {
    local text=${1//$'\n'/ }
    printf '%s' "$text"
    if [[ ${2:-} ]]; then
        printf '\n'
    fi
}

plan_begin() {
    printf '# tune %s: %s\n' "$1" "$HOST_LINE"
    if [[ $NETNS ]]; then
        printf "ip netns exec %s sh -eu <<'TUNE'\n" "$NETNS"
    else
        printf 'set -eu\n'
    fi
}

plan_end() {
    if [[ $NETNS ]]; then
        printf 'TUNE\n'
    fi
}
