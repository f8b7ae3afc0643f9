package io.bareloop.load;

import io.bareloop.net.Affinity;
import io.bareloop.sys.Syscalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;

/**
 * The command: makes load and prints one line of JSON. Exit status 1: a wrong response or none; 2:
 * wrong options.
 *
 * <p>Closed loop (the default): each of {@code --connections} sends {@code --depth} requests, waits
 * for all their responses, and sends again. With {@code --requests-per-connection} the last request
 * of a connection says {@code Connection: close}, and when the server has closed, another
 * connection takes its place; with {@code --connections-total} the run ends after so many.
 *
 * <p>Open loop ({@code --rate}, requests a second): when a request is due was settled before, and
 * its latency counts from then, whether or not a connection was free to send it on and whatever
 * became of the ones before: no coordinated omission. {@code --arrivals uniform} has them equally
 * far apart, {@code poisson} as independent clients would send them.
 *
 * <p>{@code --fields} has the lines that each request is to have behind Host, one a line: {@code
 * Name: value}.
 */
public final class Load {
    private Load() {}

    public static void main(String[] arguments) throws IOException {
        LoadOptions options;
        try {
            options = LoadOptions.parse(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println("load: " + e.getMessage());
            System.exit(2);
            return;
        }
        try (Arena arena = Arena.ofShared()) {
            Syscalls sys = new Syscalls(arena);
            if (options.cpu() >= 0 && Affinity.pinCurrentThread(sys, options.cpu()) < 0) {
                throw new IllegalStateException("cannot run on CPU " + options.cpu());
            }
            sys.raiseDescriptorLimit();
            InetAddress host = InetAddress.getByName(options.host());
            if (!host.isLoopbackAddress()) {
                throw new IllegalStateException(options.host() + ": not a loopback address");
            }
            System.out.println(new Generator(options, sys, arena, host).run());
        } catch (IllegalStateException | Exemplar.WrongResponse e) {
            System.err.println("load: " + e.getMessage());
            System.exit(1);
        } catch (IOException e) {
            System.err.println("load: " + options.host() + ":" + options.port() + ": " + e);
            System.exit(1);
        }
    }
}
