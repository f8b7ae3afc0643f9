# Folded stacks -> the functions that themselves were on the CPU most, and the parts.

BEGIN { LINES_MAX = 20 }

{
    n = $NF
    sub(/ [0-9]+$/, "")
    m = split($0, part, "\001")
    leaf = part[m]
    own[leaf] += n
    total += n
    kind = leaf ~ /_\[k\]$/ ? "kernel" : leaf ~ /_\[j\]$/ ? "Java" : "native"
    share[kind] += n
    delete seen
    for (i = 1; i <= m; i++) if (!(part[i] in seen)) { seen[part[i]] = 1; within[part[i]] += n }
}

END {
    printf "%d samples: kernel %.1f %%, Java %.1f %%, native %.1f %%\n\n", total, \
        share["kernel"] * 100 / total, share["Java"] * 100 / total, share["native"] * 100 / total
    print "   self  within  function"
    for (k = 1; k <= LINES_MAX; k++) {
        best = ""
        for (f in own) if (own[f] > 0 && (best == "" || own[f] > own[best] || own[f] == own[best] && f < best)) best = f
        if (best == "") break
        name = best
        sub(/_\[k\]$/, " (kernel)", name)
        sub(/_\[j\]$/, " (Java)", name)
        printf "%5.1f %% %5.1f %%  %s\n", own[best] * 100 / total, within[best] * 100 / total, name
        own[best] = 0
    }
}
