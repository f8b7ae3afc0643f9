package io.bareloop.rig;

import io.bareloop.http.Limits;
import io.bareloop.http.Request;
import io.bareloop.wire.Head;
import io.bareloop.wire.Networks;

/** A head for a parser to fill, and the request that is a view of it. */
public final class ParsedRequest {
    public final Head head;
    public final Request view;

    public ParsedRequest(Limits limits) {
        this(limits, Networks.NONE);
    }

    public ParsedRequest(Limits limits, Networks proxies) {
        head = new Head(limits.fieldsMax());
        view = new Request(head, limits, proxies);
    }
}
