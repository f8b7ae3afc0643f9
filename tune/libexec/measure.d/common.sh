# shellcheck shell=bash
# What every part of measure, profile and lab uses: messages, tools, lists of CPUs, JSON strings.

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

readonly JDK_MIN=22
JVM_DIRECTORY=/usr/lib/jvm # Where distributions keep their JDKs.

# find_java FILE: java becomes the path of a JDK new enough. FILE, or else $JAVA_HOME's, must be one;
# where neither is given and the java on PATH is older, the newest of the distribution's is taken.
find_java() {
    local candidate version newest=0
    java=${1:-${JAVA_HOME:+$JAVA_HOME/bin/java}}
    if [[ $java ]]; then
        command -v "$java" >/dev/null || die "${1:+--java }$java: not found"
        java=$(command -v "$java")
        version=$(java_version "$java")
        ((version >= JDK_MIN)) || die "${1:+--java }$java: JDK $JDK_MIN or later is needed, and this is $version"
        return
    fi
    for candidate in java "$JVM_DIRECTORY"/*/bin/java; do
        command -v "$candidate" >/dev/null || continue
        version=$(java_version "$candidate")
        if ((version > newest)); then
            newest=$version java=$(command -v "$candidate")
            [[ $candidate != java ]] || ((version < JDK_MIN)) || return 0
        fi
    done
    ((newest >= JDK_MIN)) ||
        die "no JDK $JDK_MIN or later on PATH or in $JVM_DIRECTORY: install one (Debian package openjdk-25-jdk), or name it with --java or JAVA_HOME"
}

# The feature release of a JVM: 25; 0 where it does not say.
java_version() {
    local text
    text=$("$1" -version 2>&1) || true
    [[ $text =~ version\ \"([0-9]{1,4}) ]] && printf '%s' "${BASH_REMATCH[1]}" || printf 0
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
