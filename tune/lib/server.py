"""Where a running server's connections come in, seen from the end: SO_INCOMING_CPU of each.

Reads only: a duplicate of each descriptor is asked and closed. Needs root, or the server's user and
its permission to be traced.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from dataclasses import dataclass
from typing import Optional

SYS_PIDFD_GETFD = 438  # The same on all architectures; Linux 5.6.
PIDFD_THREAD = os.O_EXCL  # Linux 6.9: the descriptor table of that thread.
SYS_KCMP, SYS_KCMP_X86_64, KCMP_FILES = 272, 312, 2
SO_INCOMING_CPU = 49
LOOK_TIMES_MAX, LOOK_SECONDS = 200, 0.005  # A loop that runs has no system call to show; look again.
# epoll_wait, epoll_pwait, epoll_pwait2 on x86_64; epoll_pwait elsewhere.
EPOLL_WAITS = ("232", "281", "441", "22")


@dataclass
class Loop:
    name: str
    cpu: int  # -1: not pinned to one.
    connections: int = 0
    matching: int = 0


class Unseen(Exception):
    """Why nothing can be told."""


def connections(pid: int) -> list[Loop]:
    """One entry for each thread named bareloop-N, in their order. Raises Unseen."""
    try:
        threads = loop_threads(pid)
        if not threads:
            raise Unseen("no thread named bareloop-N")
        found, epolls = [], 0
        for number in sorted(threads):
            loop, seen = look_at(pid, threads[number], f"bareloop-{number}")
            found.append(loop)
            epolls += seen
    except OSError as error:
        cause = f"{error.filename or 'pidfd_getfd'}: {error.strerror}"
        if error.errno in (errno.EPERM, errno.EACCES):
            cause = "needs root, or the server's user and its permission to be traced"
        raise Unseen(cause) from error
    if not epolls:
        raise Unseen("the loops never wait: no epoll seen")
    return found


def loop_threads(pid: int) -> dict[int, int]:
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        name = re.match(r"bareloop-([0-9]+)\n", text(f"/proc/{pid}/task/{task}/comm"))
        if name:
            found[int(name.group(1))] = int(task)
    return found


def look_at(pid: int, thread: int, name: str) -> tuple[Loop, int]:
    base = f"/proc/{pid}/task/{thread}"
    pinned = re.search(r"^Cpus_allowed_list:\s*([0-9]+)$", text(f"{base}/status"), re.M)
    loop = Loop(name, int(pinned.group(1)) if pinned else -1)
    private = not same_table(pid, thread)
    epoll = epoll_of(base, private)
    if epoll is None:
        return loop, 0
    table = open_table(pid, thread, private)
    try:
        for target in re.findall(r"^tfd:\s*([0-9]+)", text(f"{base}/fdinfo/{epoll}"), re.M):
            cpu = incoming_cpu(table, int(target))
            if cpu is not None:
                loop.connections += 1
                loop.matching += cpu == loop.cpu
    finally:
        os.close(table)
    return loop, 1


def same_table(pid: int, thread: int) -> bool:
    """Whether a thread shares the descriptors of its process."""
    number = {"x86_64": SYS_KCMP_X86_64}.get(os.uname().machine, SYS_KCMP)
    compared = syscall(number, pid, thread, KCMP_FILES, 0, 0)
    if compared >= 0:
        return compared == 0
    return epolls_in(f"/proc/{pid}/task/{thread}") == epolls_in(f"/proc/{pid}")


def epolls_in(base: str) -> list[int]:
    found = []
    for entry in os.listdir(f"{base}/fd"):
        try:
            if os.readlink(f"{base}/fd/{entry}") == "anon_inode:[eventpoll]":
                found.append(int(entry))
        except FileNotFoundError:
            pass  # Closed meanwhile.
    return sorted(found)


def epoll_of(base: str, private: bool) -> Optional[int]:
    """The only one of a table of its own; else the one that this thread waits in."""
    epolls = epolls_in(base)
    if private and len(epolls) == 1:
        return epolls[0]
    for _ in range(LOOK_TIMES_MAX):
        call = text(f"{base}/syscall").split()
        if call and call[0] in EPOLL_WAITS and int(call[1], 16) in epolls:
            return int(call[1], 16)
        time.sleep(LOOK_SECONDS)
    return None


def open_table(pid: int, thread: int, private: bool) -> int:
    if not private:
        return os.pidfd_open(pid)
    try:
        return os.pidfd_open(thread, PIDFD_THREAD)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise Unseen("each loop has descriptors of its own, which Linux shows from 6.9 on") from error
        raise


def incoming_cpu(table: int, descriptor: int) -> Optional[int]:
    """None for a listener, an eventfd, and what was closed meanwhile."""
    copy = syscall(SYS_PIDFD_GETFD, table, descriptor, 0)
    if copy == -errno.EBADF:
        return None
    if copy < 0:
        raise OSError(-copy, os.strerror(-copy))
    try:
        connection = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None
    with connection:
        try:
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return None
            return connection.getsockopt(socket.SOL_SOCKET, SO_INCOMING_CPU)
        except OSError:
            return None


def text(path: str) -> str:
    with open(path, errors="replace") as file:
        return file.read()


def syscall(number: int, *arguments: int) -> int:
    """The result, or -errno."""
    import ctypes  # Only here: it is slow to load.

    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(number, *map(ctypes.c_long, arguments))
    return result if result >= 0 else -ctypes.get_errno()
