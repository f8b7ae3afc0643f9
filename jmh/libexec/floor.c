/*
 * What a server costs that does nothing but the kernel's part: one thread, one epoll descriptor, recv,
 * a search for the empty line, send. Nothing is parsed but the size in "GET /bytes/SIZE".
 *
 *   floor PORT        on 127.0.0.1; ends when it is killed
 *
 * Responses to a batch go out with one send. "Connection: close" is honoured where it ends the head,
 * as the load generator sends it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 65536
#define EVENTS_MAX 512
#define IN_BYTES (256 << 10)
#define BODY_BYTES_MAX (1 << 20)
#define OUT_BYTES (2 * BODY_BYTES_MAX)
#define HEAD_BYTES_MAX 256

/* What a connection has left over from one turn to the next. */
struct connection {
    char *in, *out;
    size_t in_length, out_length;
    bool closing;
};

static struct connection connections[CONNECTIONS_MAX];
static char in[IN_BYTES], out[OUT_BYTES];
static char hello[HEAD_BYTES_MAX + 16];
static size_t hello_length;
static char now_text[64];
static time_t now_second;
static int epoll;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static size_t write_head(char *to, size_t body_bytes) {
    return (size_t)sprintf(to,
        "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: %s\r\nContent-Type: text/plain\r\n"
        "Content-Length: %zu\r\n\r\n", now_text, body_bytes);
}

static void look_at_clock(void) {
    time_t second = time(NULL);
    if (second == now_second)
        return;
    struct tm tm;
    now_second = second;
    strftime(now_text, sizeof now_text, "%a, %d %b %Y %T GMT", gmtime_r(&second, &tm));
    hello_length = write_head(hello, 13);
    memcpy(hello + hello_length, "Hello, World!", 13);
    hello_length += 13;
}

static void watch(int op, int fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, op, fd, &event))
        fail("epoll_ctl");
}

static void end(int fd) {
    struct connection *c = &connections[fd];
    free(c->in);
    free(c->out);
    memset(c, 0, sizeof *c);
    close(fd);
}

static char *copy(const char *bytes, size_t length) {
    char *kept = malloc(length);
    if (!kept)
        fail("malloc");
    return memcpy(kept, bytes, length);
}

/* Sends, and keeps what the kernel does not take; false where the connection is gone. */
static bool put(int fd, const char *bytes, size_t length) {
    struct connection *c = &connections[fd];
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            char *kept = copy(bytes, length);
            free(c->out);
            c->out = kept;
            c->out_length = length;
            watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
            return true;
        }
        if (n < 0) {
            end(fd);
            return false;
        }
        bytes += n;
        length -= (size_t)n;
    }
    if (c->out) {
        free(c->out);
        c->out = NULL;
        c->out_length = 0;
        watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
    if (c->closing) {
        end(fd);
        return false;
    }
    return true;
}

static size_t respond(char *to, const char *request) {
    size_t bytes, head;
    if (memcmp(request, "GET /bytes/", 11)) {
        memcpy(to, hello, hello_length);
        return hello_length;
    }
    bytes = strtoul(request + 11, NULL, 10);
    if (bytes > BODY_BYTES_MAX)
        bytes = BODY_BYTES_MAX;
    head = write_head(to, bytes);
    memset(to + head, 'x', bytes);
    return head + bytes;
}

static void serve(int fd) {
    struct connection *c = &connections[fd];
    size_t have = c->in_length, used = 0, answer = 0;
    if (have > 0)
        memcpy(in, c->in, have);
    ssize_t n = recv(fd, in + have, IN_BYTES - have, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            end(fd);
        return;
    }
    have += (size_t)n;
    for (char *empty; (empty = memmem(in + used, have - used, "\r\n\r\n", 4));) {
        if (answer > OUT_BYTES - BODY_BYTES_MAX - HEAD_BYTES_MAX)
            break;
        answer += respond(out + answer, in + used);
        if (empty - in - (long)used >= 17 && !memcmp(empty - 17, "Connection: close", 17))
            c->closing = true;
        used = (size_t)(empty - in) + 4;
    }
    free(c->in);
    c->in = NULL;
    c->in_length = have - used;
    if (c->in_length == IN_BYTES) {
        end(fd);
        return;
    }
    if (c->in_length > 0)
        c->in = copy(in + used, c->in_length);
    if (answer > 0)
        put(fd, out, answer);
}

static void take_all(int listener) {
    int on = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= CONNECTIONS_MAX) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)atoi(arguments[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address))
        fail("bind");
    if (listen(listener, 65535))
        fail("listen");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        if (ready < 0 && errno != EINTR)
            fail("epoll_wait");
        look_at_clock();
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                take_all(listener);
            else if (connections[fd].out)
                put(fd, connections[fd].out, connections[fd].out_length);
            else
                serve(fd);
        }
    }
}
