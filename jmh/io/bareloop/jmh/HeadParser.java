package io.bareloop.jmh;

import io.bareloop.http.Limits;
import io.bareloop.http.Request;
import io.bareloop.http1.RequestParser;
import io.bareloop.wire.Head;
import io.bareloop.wire.Networks;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.webserver.http1.Http1Headers;
import io.helidon.webserver.http1.Http1Prologue;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.UndertowHead;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpParser;
import org.eclipse.jetty.http.HttpVersion;
import org.microhttp.MicrohttpHead;

/**
 * The parser of one server, used as that server uses it: one instance for a connection, buffers of
 * the kind the server reads into, and whatever it allocates for each request. What is read before
 * the parser sees it is in place already, in buffers that are used again, to nobody's disadvantage.
 */
abstract class HeadParser {
    /** Takes over the heads, which are equally long. */
    abstract void load(byte[][] heads);

    /**
     * Parses a head.
     *
     * @return how many fields it has
     */
    abstract int parse(int index);

    // Of the head parsed last; read to check, and not while it is measured.

    abstract String method();

    abstract String path();

    abstract String field(String name);

    /** Returns the parser called {@code name}. */
    static HeadParser named(String name) {
        return switch (name) {
            case "bareloop" -> new Bareloop();
            case "picohttpparser-debian" -> Picohttpparser.fromDebian();
            case "picohttpparser-native" -> Picohttpparser.fromEnvironment();
            case "netty" -> new Netty();
            case "jetty" -> new Jetty();
            case "helidon" -> new Helidon();
            case "undertow" -> new Undertow();
            case "microhttp" -> new Microhttp();
            default -> throw new IllegalArgumentException("no parser is called " + name);
        };
    }

    /** Puts the heads one after the other, with room behind as in a receive buffer. */
    static MemorySegment nativeHeads(byte[][] heads) {
        MemorySegment all = Arena.ofAuto().allocate(64 << 10, Long.BYTES);
        for (int i = 0; i < heads.length; i++) {
            MemorySegment.copy(
                    heads[i],
                    0,
                    all,
                    ValueLayout.JAVA_BYTE,
                    (long) i * heads[i].length,
                    heads[i].length);
        }
        return all;
    }

    private static ByteBuffer[] directHeads(byte[][] heads) {
        ByteBuffer[] buffers = new ByteBuffer[heads.length];
        for (int i = 0; i < heads.length; i++) {
            buffers[i] = ByteBuffer.allocateDirect(heads[i].length).put(heads[i]).flip();
        }
        return buffers;
    }

    private static String withoutQuery(String target) {
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    private static final class Bareloop extends HeadParser {
        private final RequestParser parser = new RequestParser(Limits.defaults());
        private final Head head = new Head(Limits.defaults().fieldsMax());
        private final Request request = new Request(head, Limits.defaults(), Networks.NONE);
        private MemorySegment in;
        private int length;

        @Override
        void load(byte[][] heads) {
            in = nativeHeads(heads);
            length = heads[0].length;
        }

        @Override
        int parse(int index) {
            int from = index * length;
            int end = parser.parse(in, from, from + length, head);
            if (end != from + length) {
                throw new IllegalStateException("parsed to " + end);
            }
            return request.headerCount();
        }

        @Override
        String method() {
            return request.method().name();
        }

        @Override
        String path() {
            return request.path().toString();
        }

        @Override
        String field(String name) {
            for (int i = 0; i < request.headerCount(); i++) {
                if (request.headerName(i).contentEquals(name)) {
                    return request.headerValue(i).toString();
                }
            }
            return null;
        }
    }

    /**
     * HttpRequestDecoder as the first of a pipeline, of which the second handler takes requests.
     */
    private static final class Netty extends HeadParser {
        private final HttpRequestDecoder decoder = new HttpRequestDecoder();
        private final Taker taker = new Taker();
        private final ChannelHandlerContext context;
        private ByteBuf[] heads;

        Netty() {
            context = new EmbeddedChannel(decoder, taker).pipeline().context(decoder);
        }

        @Override
        void load(byte[][] bytes) {
            heads = new ByteBuf[bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                heads[i] = PooledByteBufAllocator.DEFAULT.directBuffer(bytes[i].length);
                heads[i].writeBytes(bytes[i]);
            }
        }

        @Override
        int parse(int index) {
            ByteBuf head = heads[index];
            head.readerIndex(0);
            taker.request = null;
            try {
                // The decoder releases what it has read.
                decoder.channelRead(context, head.retain());
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return taker.request.headers().size();
        }

        @Override
        String method() {
            return taker.request.method().name();
        }

        @Override
        String path() {
            return withoutQuery(taker.request.uri());
        }

        @Override
        String field(String name) {
            return taker.request.headers().get(name);
        }

        private static final class Taker extends ChannelInboundHandlerAdapter {
            private HttpRequest request;

            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                if (message instanceof HttpRequest head) {
                    if (!head.decoderResult().isSuccess()) {
                        throw new IllegalStateException(head.decoderResult().cause());
                    }
                    request = head;
                }
            }
        }
    }

    private static final class Jetty extends HeadParser implements HttpParser.RequestHandler {
        /** What Jetty's HttpConfiguration has by default. */
        private static final int FIELD_CACHE_BYTES = 1024;

        private final HttpParser parser = new HttpParser(this);
        private final HttpField[] fields = new HttpField[64];
        private ByteBuffer[] heads;
        private String method;
        private String target;
        private int count;
        private boolean complete;

        Jetty() {
            parser.setHeaderCacheSize(FIELD_CACHE_BYTES);
        }

        @Override
        void load(byte[][] bytes) {
            heads = directHeads(bytes);
        }

        @Override
        int parse(int index) {
            ByteBuffer head = heads[index];
            head.rewind();
            complete = false;
            count = 0;
            parser.parseNext(head);
            if (!complete) {
                throw new IllegalStateException("not a whole request");
            }
            parser.reset();
            return count;
        }

        @Override
        String method() {
            return method;
        }

        @Override
        String path() {
            return withoutQuery(target);
        }

        @Override
        String field(String name) {
            for (int i = 0; i < count; i++) {
                if (fields[i].getName().equals(name)) {
                    return fields[i].getValue();
                }
            }
            return null;
        }

        @Override
        public void startRequest(String method, String target, HttpVersion version) {
            this.method = method;
            this.target = target;
        }

        @Override
        public void parsedHeader(HttpField field) {
            fields[count++] = field;
        }

        @Override
        public boolean headerComplete() {
            return false;
        }

        @Override
        public boolean content(ByteBuffer bytes) {
            throw new IllegalStateException("content");
        }

        @Override
        public boolean contentComplete() {
            return false;
        }

        @Override
        public boolean messageComplete() {
            complete = true;
            return true;
        }

        @Override
        public void earlyEOF() {
            throw new IllegalStateException("early end");
        }
    }

    /** Helidon leaves the values of fields as bytes until somebody asks for them. */
    private static final class Helidon extends HeadParser {
        // What Helidon's Http1Config has by default.
        private static final int PROLOGUE_BYTES_MAX = 4096;
        private static final int FIELDS_BYTES_MAX = 16384;

        private final DataReader reader = DataReader.create(this::next);
        private final Http1Prologue prologues = new Http1Prologue(reader, PROLOGUE_BYTES_MAX, true);
        private final Http1Headers fields = new Http1Headers(reader, FIELDS_BYTES_MAX, true);
        private byte[][] heads;
        private int next;
        private HttpPrologue prologue;
        private Headers headers;

        private byte[] next() {
            return heads[next];
        }

        @Override
        void load(byte[][] bytes) {
            heads = bytes;
        }

        @Override
        int parse(int index) {
            next = index;
            prologue = prologues.readPrologue();
            headers = fields.readHeaders(prologue);
            if (reader.available() != 0) {
                throw new IllegalStateException("not parsed to the end");
            }
            return headers.size();
        }

        @Override
        String method() {
            return prologue.method().text();
        }

        @Override
        String path() {
            return prologue.uriPath().path();
        }

        @Override
        String field(String name) {
            return headers.get(HeaderNames.create(name)).get();
        }
    }

    private static final class Undertow extends HeadParser {
        private final UndertowHead parser = new UndertowHead();
        private ByteBuffer[] heads;
        private HttpServerExchange exchange;

        @Override
        void load(byte[][] bytes) {
            heads = directHeads(bytes);
        }

        @Override
        int parse(int index) {
            ByteBuffer head = heads[index];
            head.rewind();
            exchange = parser.parse(head);
            return exchange.getRequestHeaders().size();
        }

        @Override
        String method() {
            return exchange.getRequestMethod().toString();
        }

        @Override
        String path() {
            return exchange.getRequestPath();
        }

        @Override
        String field(String name) {
            return exchange.getRequestHeaders().getFirst(name);
        }
    }

    private static final class Microhttp extends HeadParser {
        private final MicrohttpHead parser = new MicrohttpHead();
        private ByteBuffer[] heads;
        private org.microhttp.Request request;

        @Override
        void load(byte[][] bytes) {
            heads = directHeads(bytes);
        }

        @Override
        int parse(int index) {
            ByteBuffer head = heads[index];
            head.rewind();
            request = parser.parse(head);
            return request.headers().size();
        }

        @Override
        String method() {
            return request.method();
        }

        @Override
        String path() {
            return withoutQuery(request.uri());
        }

        @Override
        String field(String name) {
            return request.header(name);
        }
    }

    /** Returns {@code head} as bytes. */
    static byte[] bytes(String head) {
        return head.getBytes(StandardCharsets.ISO_8859_1);
    }
}
