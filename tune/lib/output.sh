# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # Variables are set and read in other files.
# What tune says: rows, JSON, errors.

readonly EXIT_DIFFERS=1 EXIT_ERROR=2 EXIT_UNSUPPORTED=3

# fail MESSAGE: ends tune.
fail() {
    echo "tune: $*" >&2
    end "$EXIT_ERROR"
}

ENDING=''

# end STATUS: the only way out; any other is a defect of tune, and is said to be one.
end() {
    ENDING=1
    exit "$1"
}

end_unexpected() {
    local status=$1
    if [[ ! $ENDING ]] && ((status != 0)); then
        echo "tune: a defect of tune ended it: $2 (status $status)" >&2
        exit "$EXIT_ERROR"
    fi
}

warn() {
    echo "tune: $*" >&2
}

# quote TEXT: QUOTED is TEXT as one word of sh.
quote() {
    local escaped=\'\\\'\'
    if [[ $1 =~ ^[A-Za-z0-9_./,:=@%+-]+$ ]]; then
        QUOTED=$1
    else
        QUOTED="'${1//\'/"$escaped"}'"
    fi
}

# json_string TEXT: JSON_STRING is TEXT as a JSON string, with its quotes.
json_string() {
    local text=$1 code character
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\n'/\\n}
    text=${text//$'\t'/\\t}
    text=${text//$'\r'/\\r}
    if [[ $text == *[$'\x01'-$'\x1f'$'\x7f']* ]]; then
        for code in {1..31} 127; do
            printf -v character '%b' "\\x$(printf '%02x' "$code")"
            text=${text//"$character"/"$(printf '\\u%04x' "$code")"}
        done
    fi
    JSON_STRING="\"$text\""
}

# json_object KEY VALUE...: JSON_OBJECT; behind a key =KEY the value is JSON, not text.
json_object() {
    local object='' key
    while (($# > 0)); do
        key=${1#=}
        if [[ $1 == =* ]]; then
            JSON_STRING=$2
        else
            json_string "$2"
        fi
        object+="${object:+,}\"$key\":$JSON_STRING"
        shift 2
    done
    JSON_OBJECT="{$object}"
}

# json_list TEXT...: JSON_LIST of strings.
json_list() {
    local item list=''
    for item in "$@"; do
        json_string "$item"
        list+="${list:+,}$JSON_STRING"
    done
    JSON_LIST="[$list]"
}

# brief TEXT WIDTH: BRIEF is one line of at most WIDTH characters.
brief() {
    local text=$1 lines
    if [[ $text == *$'\n'* ]]; then
        lines=${text//[!$'\n']/}
        text="$((${#lines} + 1)) lines"
    fi
    if ((${#text} > $2)); then
        text="${text:0:$2-3}..."
    fi
    BRIEF=$text
}

ROWS_JSON=()   # The rows so far, for --json.
ROW_COUNTS=()  # Parallel to ROW_STATES, in order of appearance.
ROW_STATES=()

# row STEP KNOB CURRENT TARGET STATE REASON [RISK [COMMAND]]
row() {
    local i current target
    for i in "${!ROW_STATES[@]}"; do
        [[ ${ROW_STATES[i]} == "$5" ]] && break
        i=''
    done
    if [[ ${i:-} ]]; then
        ROW_COUNTS[i]=$((ROW_COUNTS[i] + 1))
    else
        ROW_STATES+=("$5")
        ROW_COUNTS+=(1)
    fi
    if ((JSON)); then
        json_list ${7:+${7//,/ }}
        json_object "=step" "$1" name "${STEP_NAME[$1]}" knob "$2" current "$3" target "$4" \
            state "$5" reason "$6" "=risk" "$JSON_LIST" command "${8:-}"
        ROWS_JSON+=("$JSON_OBJECT")
        return
    fi
    brief "$3" 26
    current=$BRIEF
    brief "$4" 26
    target=$BRIEF
    printf '%4s  %-28s %-26s %-26s %-12s %s\n' "$1" "$2" "${current:--}" "${target:--}" "$5" "$6"
}

rows_begin() {
    ((JSON)) && return
    printf '%s\n' "$HOST_LINE"
    local writer
    for writer in "${WRITERS[@]}"; do
        printf 'also writes such settings: %s\n' "$writer"
    done
    printf '\n%4s  %-28s %-26s %-26s %-12s %s\n' step knob current target state reason
}

# rows_end EXIT: the summary; in JSON, everything.
rows_end() {
    local i summary='' rows='' counts=()
    for i in "${!ROW_STATES[@]}"; do
        summary+="${summary:+, }${ROW_COUNTS[i]} ${ROW_STATES[i]}"
        counts+=("=${ROW_STATES[i]}" "${ROW_COUNTS[i]}")
    done
    if ((JSON)); then
        for i in "${!ROWS_JSON[@]}"; do
            rows+="${rows:+,}"$'\n'"${ROWS_JSON[i]}"
        done
        json_object ${counts[@]+"${counts[@]}"}
        summary=$JSON_OBJECT
        json_list ${WRITERS[@]+"${WRITERS[@]}"}
        local writers=$JSON_LIST
        host_json
        local step steps=''
        for step in "${!STEP_NAME[@]}"; do
            json_object "=step" "$step" name "${STEP_NAME[step]}" title "${STEP_TITLE[step]}" \
                article_gain "${STEP_GAIN[step]}"
            steps+="${steps:+,}$JSON_OBJECT"
        done
        json_object verb "$VERB" "=host" "$HOST_JSON" "=writers" "$writers" "=steps" "[$steps]" "=knobs" "[$rows]" \
            "=summary" "$summary" "=exit" "$1"
        printf '%s\n' "$JSON_OBJECT"
    else
        printf '\n%s\n' "${summary:-nothing to show}"
    fi
}
