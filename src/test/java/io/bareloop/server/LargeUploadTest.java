package io.bareloop.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Client;
import io.bareloop.rig.ServerProcess;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An upload of many times the heap, through a stream of a blocking handler to the disk. */
@Timeout(300)
class LargeUploadTest {
    /** With -Dlarge.upload.mib=1024 as much as one body may be. */
    private static final int MIB = Integer.getInteger("large.upload.mib", 256);

    @Test
    void aFileOfManyTimesTheHeapIsSaved(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("uploaded");
        MessageDigest sent = MessageDigest.getInstance("SHA-256");
        try (ServerProcess server =
                ServerProcess.program(
                        Streaming.class.getName(), List.of("-Xmx32m"), file.toString())) {
            int port = Integer.parseInt(server.awaitLine("port ").substring("port ".length()));
            long start = System.nanoTime();
            try (Client client = Client.connect(port).timeout(60_000)) {
                long length = (long) MIB << 20;
                client.send(Client.request("PUT", "/file", "Content-Length: " + length));
                byte[] piece = new byte[1 << 20];
                Random random = new Random(17);
                for (int i = 0; i < MIB; i++) {
                    random.nextBytes(piece);
                    sent.update(piece);
                    client.send(piece);
                }
                assertThat(client.answer().status()).isEqualTo(201);
            }
            System.out.printf(
                    "%d MiB in %d ms, peak of the process %s%n",
                    MIB, (System.nanoTime() - start) / 1_000_000, server.status("VmHWM"));
            assertThat(server.err()).isEmpty();
        }
        assertThat(Files.size(file)).isEqualTo((long) MIB << 20);
        assertThat(HexFormat.of().formatHex(hash(file)))
                .isEqualTo(HexFormat.of().formatHex(sent.digest()));
    }

    private static byte[] hash(Path file) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] some = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(some); n >= 0; n = in.read(some)) {
                digest.update(some, 0, n);
            }
        }
        return digest.digest();
    }
}
