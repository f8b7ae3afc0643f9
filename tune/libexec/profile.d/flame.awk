# Folded and sorted stacks -> a flame graph as one SVG, without script: the details of a frame are
# in its tooltip. Width is time, not order; neighbours with the same beginnings are merged.

BEGIN {
    WIDTH = 1200; ROW = 17; LETTER = 6.7; LEAST = 0.4 # Narrower frames are left out.
}

{
    n = $NF
    sub(/ [0-9]+$/, "")
    m = split($0, new, "\001")
    # Frames in common with the stack before stay open.
    same = 0
    while (same < m && same < open_depth && new[same + 1] == open_name[same + 1]) same++
    close_to(same)
    for (i = same + 1; i <= m; i++) {
        open_name[i] = new[i]
        open_at[i] = total
    }
    open_depth = m
    if (m > deepest) deepest = m
    total += n
}

function close_to(depth, i) {
    for (i = open_depth; i > depth; i--) {
        boxes++
        box_name[boxes] = open_name[i]
        box_depth[boxes] = i
        box_at[boxes] = open_at[i]
        box_width[boxes] = total - open_at[i]
    }
}

function xml(s) {
    gsub(/&/, "\\&amp;", s)
    gsub(/</, "\\&lt;", s)
    gsub(/>/, "\\&gt;", s)
    gsub(/"/, "\\&quot;", s)
    gsub(/[\001-\037]/, "", s)
    return s
}

END {
    close_to(0)
    bottom = 56 + deepest * ROW
    height = bottom + 12
    scale = (WIDTH - 20) / total
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title\">\n", WIDTH, height, WIDTH, height
    print "<title id=\"title\">" xml(title) "</title>"
    print "<style>"
    print "text{font:11px ui-monospace,'DejaVu Sans Mono',monospace;fill:#1f2328}.page{fill:#ffffff}"
    print ".head{font:600 16px system-ui,'DejaVu Sans',sans-serif}.small{font:11.5px system-ui,'DejaVu Sans',sans-serif}"
    print ".k{fill:#f2a65a}.j{fill:#8cc98f}.n{fill:#f3d36b}.t{fill:#c9d1d9}rect{stroke:#ffffff;stroke-width:.5}"
    print "@media (prefers-color-scheme:dark){.page{fill:#0d1117}.head,.small{fill:#e6edf3}rect{stroke:#0d1117}}"
    print "</style>"
    printf "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", WIDTH, height
    printf "<text x=\"10\" y=\"22\" class=\"head\">%s</text>\n", xml(title)
    printf "<text x=\"10\" y=\"40\" class=\"small\">%d samples; %s; ", total, xml(when)
    print "orange: kernel, green: Java, yellow: native, grey: thread; tooltips have the figures</text>"
    for (i = 1; i <= boxes; i++) {
        w = box_width[i] * scale
        if (w < LEAST) continue
        x = 10 + box_at[i] * scale
        y = bottom - box_depth[i] * ROW
        name = box_name[i]
        class = box_depth[i] == 1 ? "t" : "n"
        if (name ~ /_\[[kj]\]$/) {
            class = substr(name, length(name) - 1, 1)
            name = substr(name, 1, length(name) - 4)
        }
        printf "<g><title>%s: %d samples, %.2f %%</title><rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", \
            xml(name), box_width[i], box_width[i] * 100 / total, class, x, y, w, ROW - 1
        fits = int((w - 5) / LETTER)
        # The end of a Java name says more than its package.
        if (length(name) > fits && class == "j") sub(/^.*\.[a-z0-9_]+\./, "", name)
        if (fits >= 3) {
            printf "<text x=\"%.1f\" y=\"%d\">%s</text>", x + 3, y + 12, xml(length(name) > fits ? substr(name, 1, fits - 2) ".." : name)
        }
        print "</g>"
    }
    print "</svg>"
}
