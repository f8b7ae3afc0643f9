# perf script -F comm,pid,tid,ip,sym,dso -> THREAD \001 FRAME \001 ... COUNT, root first.
# Frames are marked as flame.awk colours them: _[k] kernel, _[j] Java.

function flush(i, stack) {
    if (thread != "") {
        stack = thread
        for (i = depth; i >= 1; i--) stack = stack "\001" frame[i]
        count[stack]++
    }
    thread = ""
    depth = 0
}

# COMM PID/TID, where COMM may hold blanks.
/^[^ \t].* [0-9]+(\/[0-9]+)? *$/ {
    flush()
    thread = $0
    sub(/ +[0-9]+(\/[0-9]+)? *$/, "", thread)
    next
}

# IP SYMBOL (DSO); a symbol may hold blanks and parentheses.
/^[ \t]+[0-9a-f]+ / {
    ip = $1
    symbol = $0
    sub(/^[ \t]+[0-9a-f]+ /, "", symbol)
    dso = ""
    if (match(symbol, / \([^()]*\)$/)) {
        dso = substr(symbol, RSTART + 2, RLENGTH - 3)
        symbol = substr(symbol, 1, RSTART - 1)
    }
    mark = ""
    if (dso ~ /perf-[0-9]+\.map$/) {
        mark = "_[j]"
        symbol = java(symbol)
    } else if (dso ~ /^\[kernel|^\[guest\.kernel|\.ko$|^\[[a-z0-9_]+\]$/ && dso != "[unknown]" && dso != "[vdso]" || length(ip) == 16 && ip ~ /^ffff/) {
        mark = "_[k]"
    }
    if (symbol == "[unknown]" || symbol == "") {
        name = dso
        sub(/.*\//, "", name)
        symbol = "[" (name == "" || name == "[unknown]" ? "unknown" : name) "]"
    }
    frame[++depth] = symbol mark
    next
}

/^$/ { flush() }

END {
    flush()
    for (stack in count) print stack " " count[stack]
}

# void io.bareloop.loop.Loop.run(int, long) -> io.bareloop.loop.Loop.run
function java(name) {
    if (match(name, /\(.*/)) {
        name = substr(name, 1, RSTART - 1)
        sub(/^.* /, "", name)
    }
    return name
}
