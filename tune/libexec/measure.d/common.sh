# shellcheck shell=bash
# What every part of measure, profile and lab uses: messages, lists of CPUs, JSON strings.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "tune ${0##*/}: $*"
    exit 2
}

# need TOOL PACKAGE...: names the Debian package of every tool that is missing.
need() {
    local tool missing=()
    while (($# > 0)); do
        tool=$1
        command -v "$tool" >/dev/null || missing+=("$tool (Debian package $2)")
        shift 2
    done
    ((${#missing[@]} == 0)) || die "missing: $(join ', ' "${missing[@]}")"
}

join() {
    local separator=$1 out=${2-} word
    shift $(($# > 1 ? 2 : 1))
    for word in "$@"; do
        out+=$separator$word
    done
    printf '%s' "$out"
}

# expand_list 0-2,5: one number a line, in the order given.
expand_list() {
    local part first last
    local -a parts
    IFS=, read -ra parts <<<"$1"
    for part in "${parts[@]}"; do
        [[ $part =~ ^([0-9]+)(-([0-9]+))?$ ]] || return 1
        first=${BASH_REMATCH[1]}
        last=${BASH_REMATCH[3]:-$first}
        ((first <= last)) || return 1
        seq "$first" "$last"
    done
}

# The CPUs this process may run on, one a line.
allowed_cpus() {
    expand_list "$(awk '/^Cpus_allowed_list:/ { print $2 }' /proc/self/status)"
}

json_string() {
    local s=$1
    s=${s//\\/\\\\}
    s=${s//\"/\\\"}
    s=${s//$'\n'/\\n}
    s=${s//$'\t'/\\t}
    printf '"%s"' "${s//[[:cntrl:]]/}"
}
