# The results as SVG: a bar for each step, with figures beside it. Colours follow the reader's
# light or dark mode; there is no script and nothing to load.

function xml(s) {
    gsub(/&/, "\\&amp;", s)
    gsub(/</, "\\&lt;", s)
    gsub(/>/, "\\&gt;", s)
    gsub(/"/, "\\&quot;", s)
    return s
}

# At most n bytes, not cut within a character.
function cut(s, n) {
    if (length(s) <= n) return s
    while (n > 0 && substr(s, n + 1, 1) ~ /[\200-\277]/) n--
    return substr(s, 1, n) "..."
}

function text(x, y, class, s, anchor) {
    printf "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\"%s>%s</text>\n", x, y, class, \
        (anchor == "" ? "" : " text-anchor=\"" anchor "\""), xml(s)
}

function stroke(x1, y1, x2, y2, class) {
    printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class
}

# The least of 1, 2, 5 x 10^n that divides up to max into at most five parts.
function tick_for(max, t) {
    t = 1
    while (max / t > 5) {
        if (max / (t * 2) <= 5) return t * 2
        if (max / (t * 5) <= 5) return t * 5
        t *= 10
    }
    return t
}

function short(n) {
    if (n >= 1e6) return sprintf("%gM", n / 1e6)
    if (n >= 1e3) return sprintf("%gk", n / 1e3)
    return n
}

END {
    WIDTH = 1000; LEFT = 190; BARS = 400; TOP = 118; ROW = 34; BAR = 20
    COLUMN["rps"] = 672; COLUMN["gain"] = 750; COLUMN["article"] = 820; COLUMN["p50"] = 878; COLUMN["p99"] = 932; COLUMN["cpu"] = 985

    max = 1
    for (k = 1; k <= steps; k++) if (field(order[k], "rps_max") + 0 > max) max = field(order[k], "rps_max") + 0
    scale = BARS / max
    bottom = TOP + steps * ROW
    height = bottom + 84

    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title\">\n", WIDTH, height, WIDTH, height
    heading = run["mode"] == "cumulative" ? "Requests per second after each step" : "Requests per second with all steps, and without each"
    print "<title id=\"title\">" heading "</title>"
    print "<style>"
    print "text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}"
    print ".page{fill:#ffffff}.title{font-size:18px;font-weight:600}.small{font-size:11.5px;fill:#59636e}"
    print ".head{font-size:11.5px;font-weight:600;fill:#59636e}.bar{fill:#2f74b5}.bound{fill:#2f74b5;fill-opacity:.55}"
    print ".empty{fill:none;stroke:#818b98;stroke-dasharray:4 3}.whisker{stroke:#1f2328;stroke-width:1.5}.grid{stroke:#d1d9e0}"
    print "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.small,.head{fill:#9198a1}"
    print ".bar,.bound{fill:#4c9be8}.empty{stroke:#7d8590}.whisker{stroke:#e6edf3}.grid{stroke:#30363d}}"
    print "</style>"
    printf "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", WIDTH, height
    text(16, 28, "title", heading)
    text(16, 48, "small", host_line())
    text(16, 64, "small", run_line())
    text(16, 80, "small", client_line())

    text(COLUMN["rps"], TOP - 10, "head", "req/s", "end")
    text(COLUMN["gain"], TOP - 10, "head", "gain", "end")
    text(COLUMN["article"], TOP - 10, "head", "article", "end")
    text(COLUMN["p50"], TOP - 10, "head", "p50 us", "end")
    text(COLUMN["p99"], TOP - 10, "head", "p99 us", "end")
    text(COLUMN["cpu"], TOP - 10, "head", "CPU us", "end")

    tick = tick_for(max)
    for (t = 0; t <= max; t += tick) {
        stroke(LEFT + t * scale, TOP, LEFT + t * scale, bottom, "grid")
        text(LEFT + t * scale, bottom + 15, "small", short(t), "middle")
    }

    for (k = 1; k <= steps; k++) {
        s = order[k]
        y = TOP + (k - 1) * ROW + (ROW - BAR) / 2
        base = y + BAR - 5
        text(LEFT - 10, base, "label", (s == 0 || run["mode"] != "cumulative" ? "" : s " ") cut(field(s, "label"), 24), "end")
        if (field(s, "state") != "measured") {
            empty = 1
            reason = field(s, "state") ": " field(s, "reason")
            printf "<g><title>%s</title><rect class=\"empty\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n", \
                xml(reason), LEFT, y, COLUMN["cpu"] - LEFT, BAR
            text(LEFT + 6, base - 1, "small", cut(reason, 126))
            print "</g>"
            continue
        }
        rate = field(s, "rps")
        bound = field(s, "lower_bound") == "true"
        bounds += bound
        unproven += field(s, "gain") != "" && field(s, "proven") != "true"
        printf "<g><title>%s: %s to %s req/s in %d windows%s</title>", xml(field(s, "label")), grouped(field(s, "rps_min")), \
            grouped(field(s, "rps_max")), field(s, "windows"), xml(field(s, "notes") == "" ? "" : "; " field(s, "notes"))
        printf "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/></g>\n", (bound ? "bound" : "bar"), LEFT, y, rate * scale, BAR
        low = LEFT + field(s, "rps_min") * scale
        high = LEFT + field(s, "rps_max") * scale
        stroke(low, y + BAR / 2, high, y + BAR / 2, "whisker")
        stroke(low, y + 5, low, y + BAR - 5, "whisker")
        stroke(high, y + 5, high, y + BAR - 5, "whisker")
        text(COLUMN["rps"], base, "figure", (bound ? ">= " : "") grouped(rate), "end")
        text(COLUMN["gain"], base, "figure", gain_text(s), "end")
        text(COLUMN["article"], base, "small", article_text(s), "end")
        text(COLUMN["p50"], base, "figure", sprintf("%.0f", field(s, "p50_us")), "end")
        text(COLUMN["p99"], base, "figure", sprintf("%.0f", field(s, "p99_us")), "end")
        text(COLUMN["cpu"], base, "figure", sprintf("%.2f", field(s, "cpu_us")), "end")
    }

    y = bottom + 36
    text(16, y, "small", "Medians; whiskers: least and greatest of the rounds. CPU us: user and system time of the server per request." (empty ? " Dashed: not measured here, with the reason." : ""))
    legend = ""
    if (bounds) legend = ">= and pale: lower bound, the client was busy, not the server. "
    if (unproven) legend = legend "~ unproven: under 2 %, fewer than 3 rounds, rounds that disagree about the sign, or a lower bound."
    text(16, y + 16, "small", legend)
    text(16, y + 32, "small", "Article: gains on another machine (c5n.xlarge, 4 vCPUs, a separate client), in 2021.")
    print "</svg>"
}
