# The counters of one window -> one JSON object on one line.

/^server_(before|after) cpu/ { ticks($1, $2); next }
/^(before|after) cpu/ { ticks("client_" $1, $2); next }
/^[a-z0-9_]+=/ {
    at = index($0, "=")
    v[substr($0, 1, at - 1)] = substr($0, at + 1)
}

# user nice system idle iowait irq softirq steal
function ticks(where, cpu, i) {
    sub(/^cpu/, "", cpu)
    for (i = 3; i <= 10; i++) stat[where, cpu, i] = $i
}

function delta(where, cpu, column) {
    return stat[where "_after", cpu, column] - stat[where "_before", cpu, column]
}

# Sums over a list of CPUs: total, busy, softirq (with irq), steal.
function sum(where, list, cpus, n, i, c) {
    n = split(list, cpus, " ")
    total = busy = softirq = steal = 0
    for (c = 1; c <= n; c++) {
        for (i = 3; i <= 10; i++) total += delta(where, cpus[c], i)
        busy += delta(where, cpus[c], 3) + delta(where, cpus[c], 4) + delta(where, cpus[c], 5) \
            + delta(where, cpus[c], 8) + delta(where, cpus[c], 9)
        softirq += delta(where, cpus[c], 8) + delta(where, cpus[c], 9)
        steal += delta(where, cpus[c], 10)
    }
    return n
}

function share(part) {
    return total > 0 ? part / total : 0
}

function put(key, value) {
    printf ", \"%s\": %s", key, value
}

function quoted(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "'", text) # So that the shell finds the end of the reason.
    gsub(/[\001-\037]/, " ", text)
    return "\"" text "\""
}

function void(why) {
    reason = reason (reason == "" ? "" : "; ") why
}

function flag(why) {
    flags = flags (flags == "" ? "" : "; ") why
}

function difference(key) {
    return v["after_" key] - v["before_" key]
}

END {
    printf "{\"step\": %s, \"label\": %s, \"round\": %d, \"try\": %d", step, quoted(label), round, try
    requests = v["requests"] + 0
    if ("failure" in v) {
        void(v["failure"])
    } else if (!requests) {
        void("no request was answered")
    }
    errors = v["connect_errors"] + v["read_errors"] + v["write_errors"] + v["timeouts"]
    if (errors > 0) {
        void(sprintf("socket errors: connect %d, read %d, write %d, timeout %d", \
            v["connect_errors"], v["read_errors"], v["write_errors"], v["timeouts"]))
    }
    if (v["status_errors"] > 0) {
        void(sprintf("%d responses were not 2xx or 3xx", v["status_errors"]))
    }

    if (requests) {
        seconds = v["us"] / 1e6
        rate = requests / seconds
        put("requests", sprintf("%.0f", requests))
        put("seconds", sprintf("%.6f", seconds))
        put("rps", sprintf("%.1f", rate))
        n = split("mean p50 p90 p99 p999 max", names, " ")
        for (i = 1; i <= n; i++) put(names[i] "_us", v[names[i] "_us"] < 0 ? "null" : v[names[i] "_us"] + 0)

        # The bytes that wrk saw belong to the responses that were checked.
        each = v["bytes"] / requests
        put("response_bytes", sprintf("%.2f", each))
        if (each < response_bytes * 0.99 || each > response_bytes * 1.01) {
            void(sprintf("%.1f bytes per response instead of %d", each, response_bytes))
        }

        user = difference("user")
        kernel = difference("system")
        per = 1e6 / hz / requests
        put("cpu_us", sprintf("%.4f", (user + kernel) * per))
        put("user_us", sprintf("%.4f", user * per))
        put("system_us", sprintf("%.4f", kernel * per))

        servers = sum("server", server_cpus)
        # Time of the server's CPUs that was not idle: with the softirqs and kernel threads that
        # work for the server, and with whatever else ran there.
        put("busy_us", sprintf("%.4f", busy * per))
        put("softirq_us", sprintf("%.4f", softirq * per))
        put("softirq_share", sprintf("%.4f", share(softirq)))
        put("server_share", sprintf("%.4f", (user + kernel) / hz / seconds / servers))
        server_steal = share(steal)

        sum("client", client_cpus)
        client_share = share(busy)
        wrk_share = v["wrk_cpu_s"] / seconds / threads
        client_steal = share(steal)
        put("client_share", sprintf("%.4f", client_share))
        put("wrk_share", sprintf("%.4f", wrk_share))
        stolen = server_steal > client_steal ? server_steal : client_steal
        put("steal_share", sprintf("%.4f", stolen))
        if (stolen * 100 > steal_max) {
            void(sprintf("steal %.1f %% is above %s %%", stolen * 100, steal_max))
        }

        # Little's law: connections = rate x mean latency. What is missing are requests that
        # waited inside the client before they were sent.
        if (v["mean_us"] < 0) {
            put("in_flight", "null")
            flag("Little's law not checked: latencies too many to read")
        } else {
            flying = rate * v["mean_us"] / 1e6
            put("in_flight", sprintf("%.2f", flying))
            off = flying / connections - 1
            if (off * 100 > tolerance || -off * 100 > tolerance) {
                flag(sprintf("Little's law: rate x mean latency = %.0f, not %d connections%s", flying, \
                    connections, off < 0 ? ": the rest waited in the client, latencies are too low" : ""))
            }
        }
        limit = client_share > 0.9 || wrk_share > 0.9
        put("lower_bound", limit ? "true" : "false")
        if (limit) {
            flag(sprintf("lower bound: the client was busy (CPUs %.0f %%, wrk %.0f %%)", client_share * 100, wrk_share * 100))
        }

        put("gc", difference("gc"))
        put("allocated", v["after_allocated"] == "-" || v["before_allocated"] == "-" ? "null" \
            : sprintf("%.0f", difference("allocated")))
        if (difference("gc") > 0) flag(difference("gc") " collections in the window")
        put("busy_poll_packets", difference("busy_poll"))
        put("tx_dropped", difference("tx_dropped"))
        if (difference("tx_dropped") > 0) flag(difference("tx_dropped") " packets dropped at transmit")
        if (difference("allowance") > 0) {
            void("the instance's network allowance was exceeded (ethtool -S)")
        }
    }
    put("socket_errors", errors + 0)
    put("status_errors", v["status_errors"] + 0)
    put("valid", reason == "" ? "true" : "false")
    put("reason", quoted(reason))
    put("flags", quoted(flags))
    print "}"
}
