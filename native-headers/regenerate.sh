#!/usr/bin/env bash
# Regenerates generated/ from linux.h and include.args, and records in PROVENANCE what it was made with.
#
#   native-headers/regenerate.sh [JEXTRACT]        (or $JEXTRACT, or jextract on the PATH)
#   native-headers/regenerate.sh --check [JEXTRACT]    change nothing; exit 1 when generated/ would differ
#
# JEXTRACT is the path of an installed jextract 22 (https://jdk.java.net/jextract/): later ones emit calls that JDK 22,
# our floor, does not have. libclang 13 or 14 is known to serve; 16 and later name anonymous structs differently. The C compiler's own headers (stddef.h) come from gcc.
# The normal build never runs this: generated/ is committed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
package=io.bareloop.generated

fail() {
    echo "regenerate.sh: $*" >&2
    exit 1
}

check=false
case "${1:-}" in
    -h | --help)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --check)
        check=true
        shift
        ;;
esac

jextract=${1:-${JEXTRACT:-$(command -v jextract || true)}}
[[ -n $jextract ]] || fail "no jextract: give its path as the argument or in \$JEXTRACT"
[[ -x $jextract ]] || fail "$jextract is not an executable file"
version=$("$jextract" --version 2>&1 | sed -n 's/^jextract //p')
[[ ${version%%[.-]*} == 22 ]] ||
    fail "$jextract is version ${version:-unknown}; 22 is needed (23 and later emit SymbolLookup.findOrThrow, new in JDK 23)"
command -v gcc >/dev/null || fail "gcc is needed for the C compiler's own headers (Debian: apt-get install gcc)"
builtin_headers=$(gcc -print-file-name=include)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# jextract ignores an --include-* name that the headers do not have, and exits with 0: so ask first what they have.
"$jextract" -I "$builtin_headers" --dump-includes "$work/available" "$here/linux.h" 2>"$work/log" ||
    { cat "$work/log" >&2; fail "jextract cannot read linux.h"; }
grep -o '^--include-[a-z]* [A-Za-z0-9_]*' "$work/available" | sort -u >"$work/have"
grep -o '^--include-[a-z]* [A-Za-z0-9_]*' "$here/include.args" | sort >"$work/want"
duplicated=$(uniq -d "$work/want")
[[ -z $duplicated ]] || fail "listed twice in include.args:"$'\n'"$duplicated"
missing=$(comm -23 "$work/want" "$work/have")
[[ -z $missing ]] || fail "in include.args but not in this machine's headers:"$'\n'"$missing"

# The list without its comments and blank lines, one word a line, as an argument file wants it.
tr ' ' '\n' <"$work/want" >"$work/args"
mapfile -t arguments <"$work/args"
"$jextract" -I "$builtin_headers" --output "$work/out" --target-package "$package" \
    "${arguments[@]}" "$here/linux.h" 2>"$work/log" || { cat "$work/log" >&2; fail "jextract failed"; }

# The compiler's directory differs from machine to machine; what it holds does not matter to the output.
{
    echo "Made by native-headers/regenerate.sh; not to be edited."
    "$jextract" --version 2>&1
    echo "glibc $(ldd --version | sed -n '1s/.* //p')"
    printf 'kernel headers %s\n' "$(printf '#include <linux/version.h>\nLINUX_VERSION_MAJOR.LINUX_VERSION_PATCHLEVEL.LINUX_VERSION_SUBLEVEL\n' |
        gcc -E -P - | tail -1 | tr -d ' ')"
    echo "architecture $(uname -m)"
    echo "sha256 of linux.h $(sha256sum <"$here/linux.h" | cut -d' ' -f1)"
    echo "sha256 of include.args $(sha256sum <"$here/include.args" | cut -d' ' -f1)"
} >"$work/PROVENANCE"

if $check; then
    diff -r "$work/out" "$root/generated" || fail "generated/ differs from what these headers give"
    echo "generated/ is what jextract makes of native-headers/ here."
    exit 0
fi

rm -rf "$root/generated"
mkdir -p "$root/generated"
cp -r "$work/out/." "$root/generated/"
cp "$work/PROVENANCE" "$here/PROVENANCE"
echo "generated/: $(find "$root/generated" -name '*.java' | wc -l) files, $(find "$root/generated" -name '*.java' -exec cat {} + | wc -l) lines"
