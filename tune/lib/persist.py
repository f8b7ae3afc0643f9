"""persist: a systemd unit that applies at boot and reverts when it is stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat

from definitions import NOFILE_MIN
from host import Host
from output import fail, warn

UNIT = "bareloop-tune.service"
SERVER_UNIT = "bareloop.service"
DROP_IN = f"/etc/systemd/system/{SERVER_UNIT}.d/50-bareloop-tune.conf"
COPY = "/usr/local/lib/bareloop-tune"
PARTS = ("tune", "lib", "libexec/netdev", "jvm.options", "README.md")
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

UNIT_TEXT = """[Unit]
Description=Host settings for Bareloop, steps {steps}
Documentation=file:{directory}/README.md
After=network-online.target irqbalance.service tuned.service NetworkManager.service
Wants=network-online.target
Before={server}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={program} apply {steps}{options} {state}{accept} --confirm-within 0 --keep-going
ExecStop={program} revert {state}{netns}
SuccessExitStatus=1

[Install]
WantedBy=multi-user.target
"""
DROP_IN_TEXT = """# The server's own limit: a unit does not inherit that of a shell.
[Service]
LimitNOFILE={nofile}
"""


def foreign(path: str) -> str:
    """Who else than root could change what runs: the path and why, or ''."""
    while True:
        status = os.stat(path)
        if status.st_uid != 0:
            return f"{path} belongs to user {status.st_uid}"
        sticky = os.path.isdir(path) and status.st_mode & stat.S_ISVTX
        if status.st_mode & 0o022 and not sticky:
            return f"others may write {path}"
        if path == "/":
            return ""
        path = os.path.dirname(path)


def foreign_part() -> str:
    for part in PARTS:
        top = os.path.join(HERE, part)
        names = [os.path.join(directory, name) for directory, _, files in os.walk(top) for name in files]
        for path in [top, *names]:
            why = foreign(os.path.realpath(path)) if os.path.exists(path) else ""
            if why:
                return why
    return ""


def persist(host: Host, selectors: list[str]) -> int:
    why = foreign_part()
    directory = COPY if why else HERE
    text = unit(host, selectors, directory)
    drop_in = DROP_IN_TEXT.format(nofile=NOFILE_MIN)
    if not host.options.persist_write:
        if host.options.json:
            print(json.dumps({"verb": "persist", "unit": text, "copy": COPY if why else "", DROP_IN: drop_in}))
            return 0
        print(text, end="")
        print(f"\n# {DROP_IN}:\n# " + drop_in.strip().replace("\n", "\n# "))
        if why:
            print(f"# --write copies tune to {COPY}, for {why}, and the unit runs as root.")
        return 0
    system = host.system
    if not system.has("systemctl"):
        fail("persist --write: systemctl not found: Debian package systemd")
    if why:
        install_copy(host)
        warn(f"persist: the unit runs a copy in {COPY}, for {why}; persist again after an update")
    path = f"/etc/systemd/system/{UNIT}"
    install(host, path, text)
    install(host, DROP_IN, drop_in)
    for words in (["systemctl", "daemon-reload"], ["systemctl", "enable", UNIT]):
        result = system.run(words)
        if result.status != 0:
            fail(f"persist --write: {' '.join(words)}: {result.errno_text}")
    print(f"installed {system.path(path)}, enabled for the next boot; now: systemctl start {UNIT}")
    removed = " ".join([system.path(path), system.path(DROP_IN), *([system.path(COPY)] if why else [])])
    print(f"undo: systemctl disable --now {UNIT} && rm -r {removed} && systemctl daemon-reload")
    return 0


def install(host: Host, path: str, text: str) -> None:
    real = host.system.path(path)
    if os.path.islink(real):
        fail(f"persist --write: {real} is a symbolic link")
    try:
        os.makedirs(os.path.dirname(real), exist_ok=True)
        with open(real + ".part", "w") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.rename(real + ".part", real)
    except OSError as error:
        fail(f"persist --write: {real} cannot be written: {error.strerror}")


def install_copy(host: Host) -> None:
    """Whole beside the old one, then in its place."""
    real = host.system.path(COPY)
    if os.path.islink(real):
        fail(f"persist --write: {real} is a symbolic link")
    new = real + ".new"
    try:
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(os.path.join(new, "libexec"), mode=0o755)
        for part in PARTS:
            source, target = os.path.join(HERE, part), os.path.join(new, part)
            if os.path.isdir(source):
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        for directory, _, files in os.walk(new):
            os.chown(directory, os.geteuid(), os.getegid())
            os.chmod(directory, 0o755)
            for name in files:
                path = os.path.join(directory, name)
                os.chown(path, os.geteuid(), os.getegid())
                os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & 0o755)
        shutil.rmtree(real, ignore_errors=True)
        os.rename(new, real)
    except OSError as error:
        fail(f"persist --write: {real} cannot be written: {error.filename}: {error.strerror}")


def unit(host: Host, selectors: list[str], directory: str) -> str:
    options = host.options
    words = [("--iface", host.iface), ("--netns", options.netns), ("--cpus", options.cpus)]
    return UNIT_TEXT.format(
        steps=" ".join(word(selector) for selector in selectors),
        directory=directory,
        server=SERVER_UNIT,
        program=word(os.path.join(directory, "tune")),
        options="".join(f" {name} {word(value)}" for name, value in words if value),
        state=f"--state {word(options.state)}",
        # Without --write-bootloader: the boot loader is not written at each boot. Without a timer:
        # there is nobody to confirm. What differs (1) must not take the rest back.
        accept=f" --accept {','.join(sorted(options.accepted))}" if options.accepted else "",
        netns=f" --netns {options.netns}" if options.netns else "",
    )


def word(text: str) -> str:
    """One word of ExecStart."""
    text = text.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{text}"' if re.search(r"[^A-Za-z0-9_./:,%$@+-]", text) else text
