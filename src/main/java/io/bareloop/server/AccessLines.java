package io.bareloop.server;

import io.bareloop.http.ByteView;
import io.bareloop.http.Completion;
import io.bareloop.http.CompletionListener;
import io.bareloop.http.HeaderName;
import io.bareloop.http.Method;
import java.time.ZoneId;
import java.util.List;

/** Writes the lines of one loop into its ring. */
final class AccessLines implements CompletionListener {
    private final AccessLog.Format format;
    private final LineRing ring;
    private final LogTime time;
    private final LogLine line = new LogLine();

    AccessLines(AccessLog.Format format, LineRing ring, ZoneId zone) {
        this.format = format;
        this.ring = ring;
        time = new LogTime(zone);
    }

    @Override
    public List<HeaderName> fields() {
        return switch (format) {
            case COMMON -> List.of();
            case COMBINED -> List.of(HeaderName.REFERER, HeaderName.USER_AGENT);
            case JSON -> List.of(HeaderName.REFERER, HeaderName.USER_AGENT, HeaderName.HOST);
        };
    }

    @Override
    public void completed(Completion completion) {
        line.clear();
        if (format == AccessLog.Format.JSON) {
            json(completion);
        } else {
            common(completion);
        }
        line.put('\n');
        ring.put(line.bytes(), line.length());
    }

    // ---- Common and Combined

    private void common(Completion it) {
        if (it.client().isEmpty()) {
            line.put('-');
        } else {
            line.putEscaped(it.client());
        }
        line.put(" - - [");
        line.put(time.common(it.startMillis()));
        line.put("] \"");
        Method method = it.method();
        if (method != null) {
            line.put(method.name());
            line.put(' ');
        }
        line.putEscaped(it.target());
        if (method != null) {
            line.put(it.minorVersion() == 0 ? " HTTP/1.0" : " HTTP/1.1");
        }
        line.put("\" ");
        if (it.status() == 0) {
            // Three digits, which is what readers of this format look for.
            line.put("000");
        } else {
            line.put(it.status());
        }
        line.put(' ');
        line.put(it.bodyBytes());
        if (format == AccessLog.Format.COMBINED) {
            quoted(it.header(HeaderName.REFERER));
            quoted(it.header(HeaderName.USER_AGENT));
        }
    }

    private void quoted(ByteView value) {
        line.put(" \"");
        if (value == null || value.isEmpty()) {
            line.put('-');
        } else {
            line.putEscaped(value);
        }
        line.put('"');
    }

    // ---- JSON

    private void json(Completion it) {
        line.put("{\"time\":\"");
        line.put(time.internet(it.startMillis()));
        line.put("\",\"client\":");
        json(it.client().isEmpty() ? null : it.client());
        line.put(",\"method\":");
        Method method = it.method();
        if (method == null) {
            line.put("null");
        } else {
            line.put('"');
            line.put(method.name());
            line.put('"');
        }
        line.put(",\"target\":");
        json(it.target());
        line.put(",\"protocol\":");
        line.put(
                method == null ? "null" : it.minorVersion() == 0 ? "\"HTTP/1.0\"" : "\"HTTP/1.1\"");
        line.put(",\"status\":");
        line.put(it.status());
        line.put(",\"bytes\":");
        line.put(it.bodyBytes());
        line.put(",\"duration_us\":");
        line.put(it.durationNanos() / 1000);
        line.put(it.isWhole() ? ",\"whole\":true" : ",\"whole\":false");
        line.put(",\"referer\":");
        json(it.header(HeaderName.REFERER));
        line.put(",\"user_agent\":");
        json(it.header(HeaderName.USER_AGENT));
        line.put(",\"host\":");
        json(it.header(HeaderName.HOST));
        line.put('}');
    }

    private void json(ByteView value) {
        if (value == null) {
            line.put("null");
        } else {
            line.putJson(value);
        }
    }
}
