package io.bareloop.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Bytes;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Random;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** IP addresses as text, read and written. */
class AddressTextTest {
    private static final int ROUNDS = 50_000;

    private final AddressReader reader = new AddressReader();
    private final Peer peer = new Peer();
    private final Random random = new Random(4291);

    /** Read as the first, written as the second. */
    @ParameterizedTest
    @CsvSource({
        "0.0.0.0, 0.0.0.0",
        "255.255.255.255, 255.255.255.255",
        "192.0.2.1, 192.0.2.1",
        "::, ::",
        "::1, ::1",
        "1::, 1::",
        "2001:DB8::1, 2001:db8::1",
        "2001:db8:0:0:0:0:0:1, 2001:db8::1",
        "2001:0db8:0000:0000:0000:0000:0000:0001, 2001:db8::1",
        "1:0:0:2:0:0:0:3, 1:0:0:2::3",
        "1:0:0:2:3:0:0:4, 1::2:3:0:0:4",
        "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
        "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8, 1:2:3:4:5:6:7:8",
        "64:ff9b::192.0.2.33, 64:ff9b::c000:221",
        "::ffff:192.0.2.1, 192.0.2.1",
        "::FFFF:c000:0201, 192.0.2.1",
        "0:0:0:0:0:ffff:10.0.0.1, 10.0.0.1",
        "::192.0.2.1, ::c000:201",
        "1:2:3:4:5:6:1.2.3.4, 1:2:3:4:5:6:102:304",
    })
    void readsAndWrites(String text, String written) {
        assertThat(read(text)).as(text).isTrue();
        assertThat(peer.port()).isZero();
        assertThat(written()).isEqualTo(written);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "1.2.3",
                "1.2.3.4.5",
                "1.2.3.",
                ".1.2.3",
                "1..2.3",
                "256.1.1.1",
                "1.1.1.256",
                "1.1.1.1234",
                "01.2.3.4",
                "1.2.3.04",
                "1.2.3.4 ",
                " 1.2.3.4",
                "1.2.3.4:80",
                "0x7f.1.1.1",
                "2130706433",
                "1,2,3,4",
                ":",
                ":::",
                "1:",
                ":1",
                "1:::2",
                "1::2::3",
                "::1:",
                ":1::",
                "12345::",
                "g::",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1:2:3:4:5:6:7:8::",
                "::1:2:3:4:5:6:7:8",
                "1:2:3:4::5:6:7:8",
                "1:2:3:4:5:6:7:1.2.3.4",
                "::1.2.3",
                "::1.2.3.4:5",
                "::1.2.3.4::",
                "::256.2.3.4",
                "::01.2.3.4",
                "1.2.3.4::",
                "fe80::1%eth0",
                "[::1]",
                "localhost",
                "\u0661.1.1.1",
            })
    void refuses(String text) {
        peer.port(7);
        assertThat(read(text)).as(text).isFalse();
        assertThat(peer.hasAddress()).isFalse();
        assertThat(peer.port()).isZero();
    }

    /** What the JDK makes of what was written is the address; so is what is read of the JDK's. */
    @Test
    void agreesWithTheJdk() throws UnknownHostException {
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = new byte[random.nextInt(4) == 0 ? 4 : 16];
            random.nextBytes(bytes);
            zeros(bytes);
            peer.set(MemorySegment.ofArray(bytes), 0, bytes.length, 1);
            String written = written();
            if (bytes.length == 16) {
                assertThat(written).isEqualTo(shortest(bytes));
            }
            byte[] expected = InetAddress.getByAddress(bytes).getAddress();
            assertThat(InetAddress.getByName(written).getAddress()).isEqualTo(expected);
            assertThat(read(InetAddress.getByAddress(bytes).getHostAddress())).isTrue();
            byte[] read = new byte[peer.length()];
            peer.copyAddress(read);
            assertThat(read).isEqualTo(expected);
        }
    }

    /** Groups of zeros, which are what there is to get wrong. */
    private void zeros(byte[] bytes) {
        for (int i = 0; i + 1 < bytes.length; i += 2) {
            if (random.nextBoolean()) {
                bytes[i] = 0;
                bytes[i + 1] = (byte) (random.nextInt(3) == 0 ? random.nextInt(20) : 0);
            }
        }
    }

    /** RFC 5952, section 4, another way: the longest row of zeros, the first where two are. */
    private static String shortest(byte[] bytes) throws UnknownHostException {
        if (InetAddress.getByAddress(bytes).getAddress().length == 4) {
            return InetAddress.getByAddress(bytes).getHostAddress();
        }
        StringJoiner all = new StringJoiner(":", ":", ":");
        for (int i = 0; i < 16; i += 2) {
            all.add(Integer.toHexString((bytes[i] & 0xFF) << 8 | (bytes[i + 1] & 0xFF)));
        }
        String text = all.toString();
        for (int zeros = 8; zeros >= 2; zeros--) {
            String row = ":0".repeat(zeros) + ":";
            int at = text.indexOf(row);
            if (at >= 0) {
                String front = text.substring(0, at);
                String back = text.substring(at + row.length());
                return (front.isEmpty() ? "" : front.substring(1))
                        + "::"
                        + (back.isEmpty() ? "" : back.substring(0, back.length() - 1));
            }
        }
        return text.substring(1, text.length() - 1);
    }

    private boolean read(String text) {
        // Something stands around it, which is not looked at.
        byte[] bytes = Bytes.of("9" + text + "9");
        return reader.read(MemorySegment.ofArray(bytes), 1, bytes.length - 1, peer);
    }

    private String written() {
        byte[] to = new byte[AddressText.BYTES_MAX + 1];
        int end = AddressText.write(peer, to, 1);
        return new String(to, 1, end - 1, US_ASCII);
    }
}
