package io.bareloop.http;

import io.bareloop.wire.Checks;
import io.bareloop.wire.Head;
import io.bareloop.wire.Networks;
import io.bareloop.wire.Peer;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/**
 * A request as a handler sees it: offsets into the bytes that were received, and no copy of them.
 *
 * <p>Valid until the handler returns, or until the response has ended where that comes later, on
 * the loop's thread only; the object and its views are then used for another request. Each accessor
 * has one view, that the next call of the same accessor (for fields: with the same field) sets
 * anew. Nothing here allocates after the first use, except what says so.
 *
 * <p>A later use throws IllegalStateException, or finds the next request: nothing guards each call.
 * The system property {@code bareloop.checks=true} does, and then every late use of a request or of
 * one of its views throws.
 */
public final class Request extends RequestHead {
    private final int formParametersMax;
    private final Networks proxies;

    private final ByteView body = new ByteView();
    private final ByteView formValue = new ByteView();

    private Client client;

    /** Of the body, where a handler has asked for a parameter of it. */
    private Form form;

    /**
     * For the server: a request is made by the connection that receives it.
     *
     * @param head what it is a view of
     * @param limits of the number of form parameters
     * @param proxies who may say where a request comes from
     * @hidden
     */
    @SuppressWarnings({"exports", "InvalidBlockTag"}) // only the server can call it
    public Request(Head head, Limits limits, Networks proxies) {
        super(head);
        this.proxies = proxies;
        formParametersMax = limits.formParametersMax();
        head.onExpire(this::expire);
    }

    /**
     * The value of the first parameter {@code name} of a body of application/x-www-form-urlencoded,
     * decoded, a plus as a space; null where there is none. Whether the body is a form is for the
     * handler to know.
     *
     * <p>The first call decodes the whole form in place, so that it needs no memory beside the
     * request's: {@link #body} has its decoded bytes from then on, with gaps. To see all
     * parameters, read {@link #body} with a {@link FormReader} instead.
     *
     * @param name decoded, of ASCII characters
     * @return a view of the value, valid as the request is, until the next call; or null
     * @throws HttpException with 400 where an escape in the body is malformed, with 413 where it
     *     has more than {@link Limits#formParametersMax} parameters
     */
    public ByteView formValue(String name) {
        MemorySegment all = bytes();
        int start = head.bodyStart();
        if (head.isBodyNew()) {
            if (form == null) {
                form = new Form();
            }
            form.decode(all, start, head.bodyEnd(), formParametersMax);
            head.bodyKnown();
        }
        int index = form.find(all, start, name);
        if (index < 0) {
            return null;
        }
        return formValue.set(all, start + form.valueOffset(index), form.valueLength(index));
    }

    /**
     * As {@link #formValue}, where the request makes no sense without that parameter.
     *
     * @param name decoded, of ASCII characters
     * @return a view of the value, valid as the request is, until the next call; may be empty
     * @throws HttpException with 400 where there is none; else as {@link #formValue}
     */
    public ByteView requiredFormValue(String name) {
        ByteView value = formValue(name);
        if (value == null) {
            throw new HttpException(
                    Status.BAD_REQUEST, "the form has no parameter \"" + name + "\"");
        }
        return value;
    }

    /**
     * {@return the body; empty where there is none, and in a {@link StreamHandler}, which gets
     * pieces}
     */
    public ByteView body() {
        return body.set(bytes(), head.bodyStart(), head.bodyEnd() - head.bodyStart());
    }

    /**
     * The body, read by {@code json} as a value of {@code type}. Its Content-Type is not looked at.
     * Allocates.
     *
     * @param json the library that reads it
     * @param type of the value
     * @param <T> of the value
     * @return the value, never null
     * @throws HttpException with 400 where {@code json} cannot read it, or reads null; the cause
     *     says why, and is not sent
     */
    public <T> T body(Json json, Class<T> type) {
        byte[] bytes = body().toByteArray();
        T value;
        try {
            value = json.read(bytes, type);
        } catch (HttpException answer) {
            throw answer;
        } catch (Exception | StackOverflowError failure) {
            // The latter where a library is led too deep by what it reads.
            throw new HttpException(
                    Status.BAD_REQUEST, "the body is not the JSON that is expected here", failure);
        }
        if (value == null) {
            throw new HttpException(Status.BAD_REQUEST, "the body is no JSON, or null");
        }
        return value;
    }

    /**
     * The other end of the connection: a proxy where there is one; {@link #client} looks behind it.
     * Allocates what it returns.
     *
     * @return its address and port, which stay valid; null where the kernel does not tell, for the
     *     connection was reset meanwhile
     */
    public InetSocketAddress peer() {
        bytes();
        Peer peer = head.peer();
        return peer.hasAddress() ? new InetSocketAddress(Client.address(peer), peer.port()) : null;
    }

    /**
     * Who asks: the other end of the connection, or whom it speaks for where it is a trusted proxy.
     * Found anew by each call.
     *
     * @return a view of it, valid as the request is, until the next call
     */
    public Client client() {
        bytes();
        if (client == null) {
            client = new Client();
        }
        client.find(head, proxies);
        return client;
    }

    /**
     * Keeps {@code object} with this request, until the response has ended.
     *
     * @param object of the handler's, or null
     */
    public void attach(Object object) {
        bytes();
        head.attach(object);
    }

    /** {@return what {@link #attach} was last called with for this request, or null} */
    public Object attachment() {
        bytes();
        return head.attachment();
    }

    /** The end. In checked mode its views throw from now on. */
    private void expire() {
        if (form != null) {
            form.release();
        }
        expireViews();
        if (Checks.ENABLED) {
            body.expire();
            formValue.expire();
            if (client != null) {
                client.expire();
            }
        }
    }
}
