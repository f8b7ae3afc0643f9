# Reads article.psv, then the results of tune measure: one object a line, as measure writes them.
#
#   article_gain[step]      host[key], run[key]
#   steps, order[1..steps]  field(step, key)
#   connections[step], on_loop_cpu[step]

FILENAME ~ /article\.psv$/ {
    if ($0 !~ /^#/) {
        split($0, column, "|")
        article_gain[column[1]] = column[3]
        article_rate[column[1]] = column[4]
    }
    next
}

/^"host": \{/ { section = "host"; next }
/^"run": \{/ { section = "run"; next }
/^"steps": \[/ { section = "steps"; next }
/^"windows": \[/ { section = "windows"; next }
/^"servers": \[/ { section = "servers"; next }
/^[\]}]/ { section = ""; next }

section == "host" { pair($0); host[pair_key] = pair_value; next }
section == "run" { pair($0); run[pair_key] = pair_value; next }
section == "steps" {
    line = $0
    step = value_in(line, "step")
    order[++steps] = step
    step_line[step] = line
}

section == "servers" {
    step = value_in($0, "step")
    connections[step] += value_in($0, "connections")
    on_loop_cpu[step] += value_in($0, "on_loop_cpu")
}

# "key": value, with or without a comma behind.
function pair(line) {
    match(line, /"[a-z_0-9]+"/)
    pair_key = substr(line, RSTART + 1, RLENGTH - 2)
    pair_value = value_in(line, pair_key)
}

function value_in(line, key, at, rest, i, c, out) {
    at = index(line, "\"" key "\": ")
    if (!at) return ""
    rest = substr(line, at + length(key) + 4)
    if (substr(rest, 1, 1) != "\"") {
        sub(/[,}].*/, "", rest)
        return rest == "null" ? "" : rest
    }
    for (i = 2; i <= length(rest); i++) {
        c = substr(rest, i, 1)
        if (c == "\"") break
        if (c == "\\") {
            c = substr(rest, ++i, 1)
            if (c == "n" || c == "t") c = " "
        }
        out = out c
    }
    return out
}

function field(step, key) {
    return value_in(step_line[step], key)
}

function grouped(n, s, out) {
    s = sprintf("%.0f", n)
    while (length(s) > 3) {
        out = "," substr(s, length(s) - 2) out
        s = substr(s, 1, length(s) - 3)
    }
    return s out
}

function signed_percent(x) {
    return sprintf("%+.1f %%", x)
}

function gain_text(step) {
    if (field(step, "gain") == "") return "-"
    return (field(step, "proven") == "true" ? "" : "~") signed_percent(field(step, "gain"))
}

function article_text(step) {
    return run["mode"] == "cumulative" && article_gain[step] ~ /[0-9]/ ? "+" article_gain[step] " %" : "-"
}

function host_line() {
    return host["cpu"] ", " host["vcpus"] " vCPUs, hypervisor " host["hypervisor"] ", Linux " host["kernel"] ", JDK " host["jdk"]
}

function run_line() {
    return run["connections"] " connections to " run["path"] ", " run["rounds"] (run["rounds"] == 1 ? " round of " : " rounds of ") run["duration"] " s, " \
        host["interface"] " (" host["driver"] "), " host["congestion_control"] ", " host["date"]
}

function client_line() {
    return "client: " run["client"] ", CPUs " run["client_cpus"] "; server CPUs " run["server_cpus"] \
        (run["complete"] == "true" ? "" : "; the run was cut off: INCOMPLETE")
}
