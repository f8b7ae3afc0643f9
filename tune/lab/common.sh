# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # java is for the labs, here is theirs.
# What both labs use: messages, tools, lists of CPUs.

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

# find_java FILE: java becomes the path of a JDK new enough, as the programs of tune find it.
find_java() {
    java=$(TUNE_VERB="${0##*/}" "$here/../libexec/java" ${1:+"$1"}) || exit 2
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
    expand_list "$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)"
}
