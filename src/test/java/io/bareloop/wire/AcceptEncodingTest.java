package io.bareloop.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Bytes;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which coding a client gets (RFC 9110, section 12.5.3). */
class AcceptEncodingTest {
    private static final List<String> CODINGS = List.of("br", "zstd", "gzip", "identity");

    private final AcceptEncoding accept = new AcceptEncoding(CODINGS.toArray(String[]::new));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gzip                           | br zstd gzip identity | gzip",
                "gzip, deflate, br, zstd        | br zstd gzip identity | br",
                "gzip, deflate, br, zstd        | zstd gzip identity | zstd",
                "gzip, deflate, br, zstd        | gzip identity | gzip",
                "gzip, deflate, br, zstd        | identity | identity",
                "x-gzip                         | gzip identity | gzip",
                "GZip                           | gzip identity | gzip",
                "gzip;q=0.5, br;q=0.4           | br gzip identity | gzip",
                "gzip;q=0.001                   | gzip identity | gzip",
                "gzip; q=0.5 , identity; q=0.7  | gzip identity | identity",
                "identity, gzip                 | gzip identity | gzip",
                "gzip;q=0                       | gzip identity | identity",
                "gzip;q=0.000                   | gzip identity | identity",
                "*                              | br gzip identity | br",
                "*;q=0.5, br;q=0                | br gzip identity | gzip",
                "*;q=0, gzip                    | br gzip identity | gzip",
                "''                             | br gzip identity | identity",
                "deflate                        | br gzip identity | identity",
                "identity;q=0                   | identity | none",
                "identity;q=0                   | gzip identity | none",
                "identity;q=0, gzip             | gzip identity | gzip",
                "*;q=0                          | gzip identity | none",
                "*;q=0, identity                | gzip identity | identity",
                "gzip;q=2                       | gzip identity | identity",
                "gzip;q=x                       | gzip identity | identity",
                "gzip;q                         | gzip identity | identity",
                "gzip;x=1                       | gzip identity | identity",
                "gzip q=1                       | gzip identity | identity",
                "gzip;q=1.0001                  | gzip identity | identity",
                ";;,,;q=1,gzip                  | gzip identity | gzip",
                "gzip;q=                        | gzip identity | identity",
                "gzip;q= 1                      | gzip identity | identity",
                "gzip;q =1                      | gzip identity | identity",
                "gzip;Q=1. , identity;q=0.9     | gzip identity | gzip",
                "gzip;q=0.5;q=1                 | gzip identity | identity",
                "identity-of-mine, gzipgzipgzip | gzip identity | identity",
            })
    void bestOf(String field, String available, String expected) {
        accept.clear();
        add(field.equals("''") ? "" : field);
        assertThat(best(available)).isEqualTo(expected);
    }

    /** A list may be spread over fields. */
    @Test
    void fieldsAreOneList() {
        accept.clear();
        add("gzip;q=0.2");
        add("br;q=0.1");
        assertThat(best("br gzip identity")).isEqualTo("gzip");
        accept.clear();
        add("br");
        assertThat(best("gzip identity")).as("the one before is forgotten").isEqualTo("identity");
    }

    private void add(String field) {
        for (byte b : Bytes.of(field)) {
            accept.add(b);
        }
        accept.endOfField();
    }

    private String best(String available) {
        int bits = 0;
        for (String token : available.split(" ", -1)) {
            bits |= 1 << CODINGS.indexOf(token);
        }
        int best = accept.best(bits);
        return best < 0 ? "none" : CODINGS.get(best);
    }
}
