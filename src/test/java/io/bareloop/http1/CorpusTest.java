package io.bareloop.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Bytes;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The corpus of raw requests, in memory: however the bytes are cut on their way, the outcome is the
 * one that the case says.
 */
class CorpusTest {
    /** What has become of the issue that asked for it. */
    private static final int CASES_MIN = 400;

    private static final List<CorpusCase> CASES = CorpusCase.all();
    private static final CorpusRun PLAIN = new CorpusRun(CorpusRun::http);

    static List<CorpusCase> cases() {
        return CASES;
    }

    @Test
    void thereAreEnoughAndNoneTwice() {
        assertThat(CASES).hasSizeGreaterThanOrEqualTo(CASES_MIN);
        assertThat(CASES).extracting(CorpusCase::title).doesNotHaveDuplicates();
        assertThat(CASES)
                .extracting(it -> it.parts().stream().map(Bytes::toString).toList())
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void partByPart(CorpusCase it) {
        PLAIN.partByPart(it);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void atOnce(CorpusCase it) {
        PLAIN.atOnce(it);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void byteByByte(CorpusCase it) {
        PLAIN.byteByByte(it);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void cutInTwoAnywhere(CorpusCase it) {
        PLAIN.cutInTwoAnywhere(it);
    }
}
