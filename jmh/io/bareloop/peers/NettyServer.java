package io.bareloop.peers;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.TimeUnit;

/**
 * Netty by its native epoll transport and its HTTP codec, one event loop for each CPU that the
 * process may run on. A batch of pipelined requests is flushed at its end. Argument: port.
 */
@SuppressWarnings("FutureReturnValueIgnored") // A write that fails closes its channel.
public final class NettyServer {
    private static final int BACKLOG = 65_535;

    private NettyServer() {}

    public static void main(String[] arguments) throws InterruptedException {
        int port = Integer.parseInt(arguments[0]);
        EventLoopGroup loops =
                new MultiThreadIoEventLoopGroup(
                        Runtime.getRuntime().availableProcessors(), EpollIoHandler.newFactory());
        DateHeader date = new DateHeader();
        loops.scheduleAtFixedRate(date::update, 1, 1, TimeUnit.SECONDS);
        new ServerBootstrap()
                .group(loops)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childHandler(
                        new ChannelInitializer<SocketChannel>() {
                            @Override
                            protected void initChannel(SocketChannel channel) {
                                channel.pipeline().addLast(new HttpServerCodec());
                                channel.pipeline().addLast(new Plaintext(date));
                            }
                        })
                .bind("127.0.0.1", port)
                .sync()
                .channel()
                .closeFuture()
                .sync();
    }

    /** Read by every loop, written once a second. */
    private static final class DateHeader {
        private volatile CharSequence value = now();

        void update() {
            value = now();
        }

        private static CharSequence now() {
            return new AsciiString(
                    DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
        }
    }

    private static final class Plaintext extends SimpleChannelInboundHandler<HttpObject> {
        private static final ByteBuf BODY =
                Unpooled.unreleasableBuffer(
                        Unpooled.directBuffer()
                                .writeBytes("Hello, World!".getBytes(StandardCharsets.US_ASCII)));
        private static final AsciiString LENGTH =
                AsciiString.cached(String.valueOf(BODY.readableBytes()));
        private static final AsciiString SERVER = AsciiString.cached("netty");
        private static final AsciiString TARGET = AsciiString.cached("/plaintext");

        private final DateHeader date;

        Plaintext(DateHeader date) {
            this.date = date;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
            if (!(message instanceof HttpRequest request)) {
                return; // The end of a request that has no body.
            }
            boolean known = TARGET.contentEquals(request.uri());
            FullHttpResponse response =
                    new DefaultFullHttpResponse(
                            HttpVersion.HTTP_1_1,
                            known ? HttpResponseStatus.OK : HttpResponseStatus.NOT_FOUND,
                            known ? BODY.duplicate() : Unpooled.EMPTY_BUFFER);
            response.headers()
                    .set(HttpHeaderNames.SERVER, SERVER)
                    .set(HttpHeaderNames.DATE, date.value)
                    .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_PLAIN)
                    .set(HttpHeaderNames.CONTENT_LENGTH, known ? LENGTH : HttpHeaderValues.ZERO);
            if (HttpUtil.isKeepAlive(request)) {
                context.write(response, context.voidPromise());
            } else {
                response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
                context.write(response).addListener(ChannelFutureListener.CLOSE);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
