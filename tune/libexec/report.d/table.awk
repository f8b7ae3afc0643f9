# The results as text.

function row(step, a, b, c, d, e, f, g, h, i) {
    printf "%-24s %10s %19s %9s %8s %8s %8s %9s %9s %8s\n", step, a, b, c, d, e, f, g, h, i
}

function figure(step, key, format) {
    return field(step, key) == "" ? "-" : sprintf(format, field(step, key))
}

END {
    print host_line()
    print run_line()
    print client_line()
    print "mitigations: " (host["mitigation_options"] == "" ? "as the kernel has them" : host["mitigation_options"])
    print ""
    row("step", "req/s", "least-greatest", "gain", "article", "p50 us", "p99 us", "CPU us", "busy us", "softirq")
    for (k = 1; k <= steps; k++) {
        s = order[k]
        name = (s == 0 || run["mode"] != "cumulative" ? "" : s " ") field(s, "label")
        state = field(s, "state")
        if (state != "measured") {
            printf "%-24s %10s %s: %s\n", name, "-", state, field(s, "reason")
            continue
        }
        bound = field(s, "lower_bound") == "true"
        bounds += bound
        unproven += field(s, "gain") != "" && field(s, "proven") != "true"
        row(name, (bound ? ">=" : "") grouped(field(s, "rps")), \
            grouped(field(s, "rps_min")) "-" grouped(field(s, "rps_max")), \
            gain_text(s), article_text(s), figure(s, "p50_us", "%.0f"), figure(s, "p99_us", "%.0f"), \
            figure(s, "cpu_us", "%.2f"), figure(s, "busy_us", "%.2f"), \
            field(s, "softirq_share") == "" ? "-" : sprintf("%.0f %%", field(s, "softirq_share") * 100))
    }
    print ""
    print "Medians over the rounds; gain: " (run["mode"] == "cumulative" ? "over the measured line above" : "of all steps over all without this one") ", paired within each round."
    print "CPU us: user and system time of the server per request; busy us: all busy time of its CPUs per request."
    if (unproven) print "~ unproven: under 2 %, fewer than 3 rounds, rounds that disagree about the sign, or a lower bound."
    if (bounds) print ">= lower bound: the client was busy, not the server."
    for (k = 1; k <= steps; k++) {
        s = order[k]
        if (field(s, "allocated") != "" && field(s, "rps") > 0) {
            each = field(s, "allocated") / (field(s, "rps") * run["duration"])
            if (each > most) most = each
            known = 1
        }
        if (field(s, "gc_max") > collections) collections = field(s, "gc_max")
    }
    if (known) printf "The server: at most %.2f bytes allocated per request (medians), %d collections in a window.\n", most, collections
    for (k = 1; k <= steps; k++) {
        s = order[k]
        if (field(s, "state") == "measured" && field(s, "reason") != "") print "step " s ": " field(s, "reason")
        # Before step 5 nothing leads connections to the loop of the CPU that receives them.
        if (connections[s] && (s >= 5 || run["mode"] != "cumulative")) {
            print "step " s ": connections received on their loop's CPU: " on_loop_cpu[s] " of " connections[s]
        }
        if (field(s, "discarded") > 0) print "step " s ": " field(s, "discarded") " windows discarded"
        if (field(s, "notes") != "") print "step " s ": " field(s, "notes")
    }
}
