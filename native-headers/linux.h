/*
 * The umbrella header: everything Bareloop asks of the kernel and of libc, for jextract.
 * The names that are taken from it are listed in include.args; regenerate.sh turns both into generated/.
 *
 * Compiled with _GNU_SOURCE, for accept4, sched_setaffinity and unshare.
 */
#define _GNU_SOURCE

/* features.h first: it defines __GNUC_PREREQ, which the next lines set aside. */
#include <features.h>

/*
 * With _GNU_SOURCE and a gcc-like compiler, glibc declares bind, accept4 and getsockname with a transparent
 * union instead of a pointer. jextract takes that union for an argument passed by value, and the result
 * does not compile. __SOCKADDR_ARG falls back to a plain pointer when __GNUC_PREREQ (2, 7) is false.
 */
#pragma push_macro("__GNUC_PREREQ")
#undef __GNUC_PREREQ
#define __GNUC_PREREQ(maj, min) 0
#include <sys/socket.h>
#pragma pop_macro("__GNUC_PREREQ")

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>
