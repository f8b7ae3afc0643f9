package io.bareloop.load;

import io.bareloop.http.MediaType;
import io.bareloop.http.Prepared;
import io.bareloop.http.Router;
import io.bareloop.http.Status;
import io.bareloop.server.CpuSet;
import io.bareloop.server.HttpServer;
import java.io.IOException;
import java.util.Arrays;

/**
 * A server with responses of many sizes: {@code /bytes/13} to {@code /bytes/1048576}. Arguments:
 * port, CPUs.
 */
public final class SizedServer {
    private static final int[] SIZES = {
        13, 128, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20
    };

    private SizedServer() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Router.Builder router = Router.builder();
        for (int size : SIZES) {
            byte[] body = new byte[size];
            Arrays.fill(body, (byte) 'x');
            router.get("/bytes/" + size, Prepared.of(Status.OK, MediaType.OCTETS, body));
        }
        try (HttpServer server =
                HttpServer.builder()
                        .listen("127.0.0.1", Integer.parseInt(arguments[0]))
                        .cpus(CpuSet.of(arguments[1]))
                        .handler(router.build())
                        .start()) {
            System.out.println("serving " + server.origin());
            server.awaitTermination();
        }
    }
}
