package io.bareloop.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.bareloop.rig.Bytes;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks, and who is in them. */
class NetworksTest {
    private static final int ROUNDS = 50_000;

    @ParameterizedTest
    @CsvSource({
        "127.0.0.0/8, 127.255.0.1, true",
        "127.0.0.0/8, 128.0.0.0, false",
        "127.0.0.0/8, ::1, false",
        "127.0.0.0/8, ::ffff:127.0.0.1, true",
        "::ffff:127.0.0.0/104, 127.0.0.1, true",
        "::ffff:127.0.0.1, 127.0.0.1, true",
        "10.0.0.1, 10.0.0.1, true",
        "10.0.0.1, 10.0.0.2, false",
        "10.0.0.4/30, 10.0.0.7, true",
        "10.0.0.4/30, 10.0.0.8, false",
        "0.0.0.0/0, 8.8.8.8, true",
        "0.0.0.0/0, 2001:db8::1, false",
        "::/0, 2001:db8::1, true",
        "::/0, 8.8.8.8, false",
        "::1, ::1, true",
        "fd00::/8, fdff::1, true",
        "fd00::/8, fc00::1, false",
        "2001:db8::/33, 2001:db8:7fff::1, true",
        "2001:db8::/33, 2001:db8:8000::1, false",
    })
    void containWhoIsInThem(String network, String address, boolean contained) {
        assertThat(Networks.of("192.0.2.1", network).contains(peer(address))).isEqualTo(contained);
    }

    @Test
    void containNobodyWithoutAnAddress() {
        assertThat(Networks.of("0.0.0.0/0", "::/0").contains(new Peer())).isFalse();
        assertThat(Networks.NONE.contains(peer("::1"))).isFalse();
        assertThat(Networks.NONE.isEmpty()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "localhost",
                "10.0.0/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/+8",
                "10.0.0.0/8/8",
                "10.0.0.0/08888",
                "10.0.0.1/8",
                "fd00::1/8",
                "::/129",
                "/8",
                " 10.0.0.0/8",
                "10.0.0.0 /8",
                "10.0.0.0/255.0.0.0",
                "::ffff:10.0.0.0/95",
                "[::1]",
            })
    void refuseWhatIsNone(String text) {
        assertThatThrownBy(() -> Networks.of("10.0.0.0/8", text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + text + "\"");
    }

    @Test
    void agreeWithArithmetic() {
        Random random = new Random(4632);
        for (int round = 0; round < ROUNDS; round++) {
            int length = random.nextBoolean() ? 4 : 16;
            int bits = random.nextInt(length * 8 + 1);
            byte[] network = new byte[length];
            random.nextBytes(network);
            // No IPv4 address in the clothes of IPv6.
            network[0] |= 32;
            int behind = length * 8 - bits;
            BigInteger prefix = new BigInteger(1, network).shiftRight(behind);
            byte[] other = network.clone();
            other[random.nextInt(length)] ^= (byte) (1 << random.nextInt(8));
            other[0] |= 32;
            Networks networks = Networks.of(text(prefix.shiftLeft(behind), length) + "/" + bits);
            assertThat(networks.contains(peer(other)))
                    .isEqualTo(new BigInteger(1, other).shiftRight(behind).equals(prefix));
            assertThat(networks.contains(peer(network))).isTrue();
        }
    }

    private static String text(BigInteger number, int length) {
        byte[] bytes = new byte[length];
        byte[] digits = number.toByteArray();
        int used = Math.min(length, digits.length);
        System.arraycopy(digits, digits.length - used, bytes, length - used, used);
        byte[] text = new byte[AddressText.BYTES_MAX];
        int end = AddressText.write(peer(bytes), text, 0);
        return Bytes.toString(text).substring(0, end);
    }

    private static Peer peer(byte[] bytes) {
        Peer peer = new Peer();
        peer.set(MemorySegment.ofArray(bytes), 0, bytes.length, 0);
        return peer;
    }

    private static Peer peer(String text) {
        byte[] bytes = Bytes.of(text);
        Peer peer = new Peer();
        assertThat(new AddressReader().read(MemorySegment.ofArray(bytes), 0, bytes.length, peer))
                .isTrue();
        return peer;
    }
}
