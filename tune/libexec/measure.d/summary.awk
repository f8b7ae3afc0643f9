# The lines of windows -> one line of JSON for each step: medians and spread over the rounds, and
# the gain over the configuration measured before it, paired within the round.
# steps.tsv first: STEP LABEL STATE REASON, in the order measured.

FNR == NR {
    split($0, field, "\t")
    order[++count] = field[1]
    label[field[1]] = field[2]
    state[field[1]] = field[3]
    reason[field[1]] = field[4]
    next
}

{
    step = get("step")
    tried[step]++
    if (get("valid") != "true") { lost[step]++; next }
    n[step]++
    round = get("round")
    for (i = 1; i <= columns; i++) {
        x = get(column[i])
        if (x != "null" && x != "") value[step, column[i], ++have[step, column[i]]] = x
    }
    rps[step, round] = get("rps")
    if (round > rounds) rounds = round
    if (get("lower_bound") == "true") bound[step]++
    if ((f = get("flags")) != "") note(step, f)
}

BEGIN {
    columns = split("rps cpu_us busy_us softirq_us softirq_share p50_us p99_us mean_us in_flight client_share gc allocated busy_poll_packets", column, " ")
}

# The value of a key of this line; text without its quotes.
function get(key, at, rest) {
    at = index($0, "\"" key "\": ")
    if (!at) return ""
    rest = substr($0, at + length(key) + 4)
    if (rest ~ /^"/) {
        rest = substr(rest, 2)
        return substr(rest, 1, index(rest, "\"") - 1)
    }
    match(rest, /[,}]/)
    return substr(rest, 1, RSTART - 1)
}

# Each kind of flag once, by what stands before its figures.
function note(step, text, parts, i, m, kind) {
    m = split(text, parts, "; ")
    for (i = 1; i <= m; i++) {
        kind = parts[i]
        gsub(/[0-9.]+/, "#", kind)
        if (!((step, kind) in noted)) {
            noted[step, kind] = 1
            notes[step] = notes[step] (notes[step] == "" ? "" : "; ") parts[i]
        }
    }
}

function sort(list, n, i, j, x) {
    for (i = 2; i <= n; i++) {
        x = list[i]
        for (j = i - 1; j >= 1 && list[j] > x; j--) list[j + 1] = list[j]
        list[j + 1] = x
    }
}

# Sets median, least, greatest of list[1..n].
function spread(list, n) {
    sort(list, n)
    least = list[1]
    greatest = list[n]
    median = n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function put(key, value) {
    printf ", \"%s\": %s", key, value
}

END {
    previous = ""
    for (k = 1; k <= count; k++) {
        step = order[k]
        s = state[step]
        r = reason[step]
        if (s == "measured" && !n[step]) {
            s = "void"
            r = "no window counted" (r == "" ? "" : "; " r)
        }
        printf "  {\"step\": %s, \"label\": \"%s\", \"state\": \"%s\", \"reason\": \"%s\"", step, label[step], s, r
        put("windows", n[step] + 0)
        put("discarded", lost[step] + 0)
        put("lower_bound", bound[step] > 0 ? "true" : "false")
        if (n[step]) {
            for (i = 1; i <= columns; i++) {
                m = have[step, column[i]]
                if (!m) { put(column[i], "null"); continue }
                for (j = 1; j <= m; j++) list[j] = value[step, column[i], j] + 0
                spread(list, m)
                put(column[i], sprintf("%.10g", median))
                put(column[i] "_min", sprintf("%.10g", least))
                put(column[i] "_max", sprintf("%.10g", greatest))
            }
            # Cumulative: against the one before. Leave-one-out: what all have over all but this.
            base = mode == "leave-one-out" ? order[1] : previous
            if (base != "" && base != step) {
                m = 0
                for (j = 1; j <= rounds; j++) {
                    if (((step, j) in rps) && ((base, j) in rps)) {
                        list[++m] = mode == "leave-one-out" ? (rps[base, j] / rps[step, j] - 1) * 100 \
                            : (rps[step, j] / rps[base, j] - 1) * 100
                    }
                }
                if (m) {
                    spread(list, m)
                    put("gain", sprintf("%.2f", median))
                    put("gain_min", sprintf("%.2f", least))
                    put("gain_max", sprintf("%.2f", greatest))
                    # Not where it is closer to nothing than the noise of such runs, nor where it
                    # was the client that changed or did not.
                    proven = m >= 3 && !bound[step] && !bound[base] && least * greatest > 0 && (median >= 2 || median <= -2)
                    put("proven", proven ? "true" : "false")
                }
            }
            previous = step
        }
        put("notes", "\"" notes[step] "\"")
        printf "}%s\n", k < count ? "," : ""
    }
}
