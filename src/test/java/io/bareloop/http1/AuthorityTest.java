package io.bareloop.http1;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.GuardedSegment;
import io.bareloop.wire.Memory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Hosts made of the pieces of hosts, against the grammar as {@link ReferenceParser} has it. */
class AuthorityTest {
    private static final String[] PIECES = {
        ":",
        ":",
        ":",
        "::",
        "1",
        "0",
        "a",
        "F",
        "12",
        "abc",
        "1234",
        "0db8",
        "12345",
        "g",
        ".",
        "1.2.3.4",
        "255.255.255.255",
        "256.1.1.1",
        "1.2.3",
        "01.2.3.4",
        "v1.",
        "v",
        "%",
        "%4",
        "%41",
        "%zz",
        "-",
        "_",
        ",",
        "[",
        "]",
        ":80",
        "@",
        "/",
        "a.example"
    };

    private static final int ROUNDS = 300_000;

    private final GuardedSegment guarded = new GuardedSegment();

    @AfterEach
    void unmap() {
        guarded.close();
    }

    @Test
    void agreesWithTheGrammar() {
        SplittableRandom random = new SplittableRandom(3986);
        int valid = 0;
        for (int i = 0; i < ROUNDS; i++) {
            boolean literal = random.nextInt(4) > 0;
            StringBuilder text = new StringBuilder(literal ? "[" : "");
            // Groups, most of them well-formed, so that many of the addresses are.
            for (int j = random.nextInt(literal ? 17 : 5); j > 0; j--) {
                boolean group = literal && j % 2 == 0 && random.nextInt(8) > 0;
                text.append(group ? ":" : PIECES[random.nextInt(PIECES.length)]);
            }
            text.append(literal ? "]" : "").append(random.nextInt(4) > 0 ? "" : ":8080");
            assertAgrees(text.toString());
            valid += ReferenceParser.isAuthority(text.toString()) ? 1 : 0;
        }
        assertThat(valid).isBetween(ROUNDS / 20, ROUNDS * 19 / 20);
    }

    /**
     * Each way to write an address with two colons or without, and one group too many or too few.
     */
    @Test
    void everyNumberOfGroups() {
        for (int before = 0; before <= 9; before++) {
            for (int behind = 0; behind <= 9; behind++) {
                for (String tail : new String[] {"", "1.2.3.4", ":1.2.3.4", "1.2.3.4:", "::"}) {
                    String groups = groups(before) + "::" + groups(behind);
                    assertAgrees("[" + groups + tail + "]");
                    assertAgrees("[" + groups + ":" + tail + "]");
                    assertAgrees("[" + groups(before + behind) + tail + "]");
                }
            }
        }
    }

    private static String groups(int count) {
        return "1:".repeat(count).replaceFirst(":$", "");
    }

    /** Right before a guard page: nothing behind the host has a say. */
    private void assertAgrees(String text) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        int at = guarded.put(bytes, bytes.length);
        long from = Memory.address(guarded.segment(), at, guarded.end());
        long to = from + bytes.length;
        boolean whole = from < to && Authority.end(from, to) == to;
        assertThat(whole).as(text).isEqualTo(ReferenceParser.isAuthority(text));
    }
}
