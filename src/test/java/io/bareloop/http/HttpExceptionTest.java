package io.bareloop.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.bareloop.rig.Answer;
import io.bareloop.rig.Client;
import io.bareloop.rig.HttpRig;
import org.junit.jupiter.api.Test;

/** The exception that is an answer; what becomes of it on the wire is in ResponseTest. */
class HttpExceptionTest {
    @Test
    void carriesStatusAndMessage() {
        for (int code = 200; code < 600; code++) {
            Status status = Status.of(code);
            HttpException exception = new HttpException(status, "why");
            assertThat(exception.status()).isSameAs(status);
            assertThat(exception).hasMessage("why").hasNoCause();
            assertThat(new HttpException(status, null)).hasMessage(null);
        }
    }

    /** What has no body has no type of one either. */
    @Test
    void anAnswerWithoutABody() throws Exception {
        try (HttpRig rig =
                        HttpRig.start(
                                (request, response) -> {
                                    throw new HttpException(Status.NO_CONTENT, "nothing");
                                });
                Client client = Client.connect(rig.port())) {
            for (int i = 0; i < 2; i++) {
                client.ask("/");
                Answer answer = client.answer();
                assertThat(answer.status()).isEqualTo(204);
                assertThat(answer.has("Content-Type")).isFalse();
                assertThat(answer.has("Content-Length")).isFalse();
            }
        }
    }

    /** It is thrown for requests that anybody can send: neither costly, nor changed by anybody. */
    @Test
    void isCheap() {
        HttpException exception = new HttpException(Status.NOT_FOUND, null);
        assertThat(exception.getStackTrace()).isEmpty();
        exception.addSuppressed(new IllegalStateException());
        assertThat(exception.getSuppressed()).isEmpty();
    }
}
