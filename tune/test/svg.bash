# shellcheck shell=bash disable=SC2154 # bats sets status
# For tests that draw.

# is_self_contained FILE: an SVG that asks for nothing outside of it; skips where that it is XML cannot
# be told.
is_self_contained() {
    run grep -E '<script|href=|url\(|@import' "$1"
    [ "$status" -eq 1 ]
    if command -v xmllint >/dev/null; then
        xmllint --noout "$1"
    elif command -v python3 >/dev/null; then
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1"
    else
        skip "neither xmllint nor python3: not checked that it is XML"
    fi
}
