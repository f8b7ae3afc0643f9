package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The exception that is an answer; what becomes of it on the wire is in ResponseTest. */
class HttpExceptionTest {
    @ParameterizedTest
    @EnumSource
    void carriesStatusAndMessage(Status status) {
        HttpException exception = new HttpException(status, "why");
        assertThat(exception.status()).isSameAs(status);
        assertThat(exception).hasMessage("why").hasNoCause();
        assertThat(new HttpException(status, null)).hasMessage(null);
    }

    /** It is thrown for requests that anybody can send: neither costly, nor changed by anybody. */
    @Test
    void isCheap() {
        HttpException exception = new HttpException(Status.NOT_FOUND, null);
        assertThat(exception.getStackTrace()).isEmpty();
        exception.addSuppressed(new IllegalStateException());
        assertThat(exception.getSuppressed()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void statusIsFoundByCode(Status status) {
        assertThat(Status.of(status.code())).isSameAs(status);
        assertThat(status.code()).isBetween(200, 599);
        assertThat(status.reason()).matches("[A-Z][A-Za-z -]*");
    }

    @Test
    void otherCodesAreNoStatus() {
        for (int code : new int[] {0, -200, 99, 100, 101, 199, 299, 418, 600, 1000}) {
            assertThatThrownBy(() -> Status.of(code))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("" + code);
        }
    }
}
