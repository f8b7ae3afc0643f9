# BYTES COUNT, rising -> a line for each power of two; exact where it holds one size only.

{
    for (low = 1; low * 2 <= $1; low *= 2) continue
    if (!(low in count)) order[++buckets] = low
    count[low] += $2
    sizes[low]++
    size[low] = $1
    if (count[low] > most) most = count[low]
}

END {
    if (!buckets) print "      none"
    for (k = 1; k <= buckets; k++) {
        low = order[k]
        range = sizes[low] == 1 ? size[low] : low "-" low * 2 - 1
        bar = ""
        for (i = 0; i < count[low] * 40 / most; i++) bar = bar "#"
        printf "%12s  %10d  %s\n", range, count[low], bar
    }
}
