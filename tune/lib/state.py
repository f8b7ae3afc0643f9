"""State: what was there before. A JSON file with one record per line, and a file for each long original.

  {"format":1,
  "host":{"boot_id":"...","kernel":"...","iface":"...",...},
  "confirm":{"token":"","deadline":"","steps":""},
  "knobs":[
  {"seq":1,"step":5,"knob":"...","kind":"...","arg":"...","original":"...","ours":"...","time":"...","kept":""}
  ]}

A long original is in the file that "kept" names, beside this one; "original" is then its SHA-256.
What is not as tune writes it is an error. A record is used only if its kind says that it may write
this value to this argument.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
import time
from dataclasses import dataclass
from typing import Any, Callable, Optional

from output import fail

FORMAT = 1
LINES_MAX = 10000
LONG = 4096  # Characters of an original that is kept in a file of its own.
LOCK_SECONDS = 10.0
TEMPORARY = ".state."
STEP_MAX = 11

Valid = Callable[[str, str, str], bool]


@dataclass
class Record:
    seq: int
    step: int
    knob: str
    kind: str
    argument: str
    original: str
    ours: str
    time: str
    kept: str = ""


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


class State:
    def __init__(self, path: str, valid: Optional[Valid] = None) -> None:
        self.path, self.valid = path, valid
        self.directory = os.path.dirname(path) or "."
        self.base = os.path.basename(path)
        self.records: dict[int, Record] = {}  # By seq, which only grows: the order of writing.
        self.host: dict[str, str] = {}
        self.token = self.deadline = self.confirm_steps = ""
        self._lock: Optional[int] = None
        self._ignored_trust = False

    # --- Trust -----------------------------------------------------------------------------------

    def check_trusted(self) -> None:
        """Refuses a file or a directory that others can write: what state says is written to the host."""
        if os.path.islink(self.path):
            fail(f"--state: {self.path} is a symbolic link")
        if os.path.exists(self.path):
            if not os.path.isfile(self.path):
                fail(f"--state: {self.path} is no file")
            self._check_owner(self.path)
        if not os.path.isdir(self.directory):
            return
        directory = os.path.realpath(self.directory)
        self._check_owner(directory)
        while directory != "/":
            directory = os.path.dirname(directory)
            self._check_owner(directory, sticky=True)

    def _check_owner(self, path: str, sticky: bool = False) -> None:
        status = os.stat(path)
        if status.st_uid not in (0, os.geteuid()):
            fail(f"--state: {path} belongs to user {status.st_uid}")
        # In a sticky directory only the owner renames what is his.
        if status.st_mode & 0o022 and not (sticky and status.st_mode & stat.S_ISVTX):
            fail(f"--state: others may write {path} (mode {stat.S_IMODE(status.st_mode):o})")

    # --- Lock ------------------------------------------------------------------------------------

    def lock(self, seconds: float = LOCK_SECONDS) -> None:
        """One run at a time. The lock is on the directory, in which nothing is made for it."""
        if not os.path.isdir(self.directory):
            old = os.umask(0o077)
            try:
                os.makedirs(self.directory, mode=0o700)
            except OSError as error:
                hint = "; needs root" if os.geteuid() != 0 else ""
                fail(f"--state: cannot make {self.directory}: {error.strerror}{hint}")
            finally:
                os.umask(old)
        self.check_trusted()
        try:
            self._lock = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            fail(f"--state: cannot open {self.directory}: {error.strerror}")
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    fail(f"another tune works with {self.directory}; try again")
                time.sleep(0.02)
        self._sweep()

    def _sweep(self) -> None:
        """What a run that was killed while it wrote has left."""
        for name in os.listdir(self.directory):
            if name.startswith(TEMPORARY):
                try:
                    os.unlink(os.path.join(self.directory, name))
                except OSError:
                    pass

    # --- Reading ---------------------------------------------------------------------------------

    def load(self) -> None:
        self.records, self.host = {}, {}
        self.token = self.deadline = self.confirm_steps = ""
        if not os.path.lexists(self.path):
            return
        self.check_trusted()
        try:
            with open(self.path, "rb") as file:
                lines = file.read().decode(errors="surrogateescape").split("\n")
        except OSError as error:
            fail(f"state {self.path}: cannot be read: {error.strerror}; needs root")
        if lines and not lines[-1]:
            lines.pop()
        if len(lines) > LINES_MAX:
            fail(f"state {self.path}: more than {LINES_MAX} lines")
        for number, line in enumerate(lines, 1):
            self._line(number, line)

    def _line(self, number: int, line: str) -> None:
        if line in (f'{{"format":{FORMAT},', '"knobs":[', "]}"):
            return
        if line.startswith('"host":'):
            self.host = self._texts(number, line[7:])
        elif line.startswith('"confirm":'):
            confirm = self._texts(number, line[10:])
            self.token, self.deadline = confirm.get("token", ""), confirm.get("deadline", "")
            self.confirm_steps = confirm.get("steps", "")
            forms = ((self.token, r"[0-9a-f-]*\Z"), (self.deadline, r"[0-9]*\Z"), (self.confirm_steps, r"[0-9 ]*\Z"))
            if not all(re.match(form, text) for text, form in forms):
                self._broken(number)
        elif line.startswith('{"seq":'):
            self._record(number, line)
        else:
            self._broken(number)

    def _broken(self, number: int) -> None:
        fail(f"state {self.path}, line {number}: not as tune writes it; repair the line or move the file away")

    def _object(self, number: int, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text[:-1] if text.endswith(",") else text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self._broken(number)
        assert isinstance(found, dict)
        return found

    def _texts(self, number: int, text: str) -> dict[str, str]:
        found = self._object(number, text)
        if not all(isinstance(value, str) for value in found.values()):
            self._broken(number)
        return found

    def _record(self, number: int, line: str) -> None:
        found = self._object(number, line)
        seq, step = found.pop("seq", 0), found.pop("step", 0)
        good = isinstance(seq, int) and isinstance(step, int) and seq > 0 and 1 <= step <= STEP_MAX
        if not good or not all(isinstance(value, str) for value in found.values()):
            self._broken(number)
        texts = {name: found.get(name, "") for name in ("knob", "kind", "arg", "original", "ours", "time", "kept")}
        if texts["kept"]:
            texts["original"] = self._kept(number, texts["kept"], texts["original"])
        if self.valid and not (
            self.valid(texts["kind"], texts["arg"], texts["original"])
            and self.valid(texts["kind"], texts["arg"], texts["ours"])
        ):
            fail(
                f"state {self.path}, line {number}: tune does not write such a value; "
                "repair the line or move the file away"
            )
        record = Record(
            seq, step, texts["knob"], texts["kind"], texts["arg"], texts["original"], texts["ours"], texts["time"]
        )
        record.kept = texts["kept"]
        self.records[seq] = record

    def _kept(self, number: int, name: str, wanted: str) -> str:
        if not re.match(re.escape(self.base) + r"\.[0-9]+-[0-9a-f]{8}\Z", name):
            self._broken(number)
        path = os.path.join(self.directory, name)
        try:
            if os.path.islink(path):
                fail(f"state {self.path}, line {number}: {name} is a symbolic link")
            self._check_owner(path)
            with open(path, "rb") as file:
                text = file.read().decode(errors="surrogateescape")
        except OSError as error:
            fail(f"state {self.path}, line {number}: the original in {name}: {error.strerror}")
        if digest(text) != wanted:
            fail(f"state {self.path}, line {number}: the original in {name} is not what was kept")
        return text

    # --- Writing ---------------------------------------------------------------------------------

    def save(self, host: dict[str, str]) -> None:
        """Whole or not at all, also where the power fails; without records, no file."""
        try:
            if self.records:
                self._save(host)
            elif os.path.lexists(self.path):
                os.unlink(self.path)
                self._sync_directory()
            self._forget_kept()
        except OSError as error:
            fail(f"state {self.path}: cannot be written: {error.strerror}")

    def _save(self, host: dict[str, str]) -> None:
        self.host.update({name: value for name, value in host.items() if name not in self.host})
        self.host.update(boot_id=host["boot_id"], kernel=host["kernel"], netns=host["netns"], time=now())
        order = ("boot_id", "kernel", "iface", "mac", "driver", "netns", "cpus", "time")
        head = {name: self.host.get(name, "") for name in order}
        confirm = {"token": self.token, "deadline": self.deadline, "steps": self.confirm_steps}
        rows = [self._row(record) for _, record in sorted(self.records.items())]
        text = f'{{"format":{FORMAT},\n"host":{dumped(head)},\n"confirm":{dumped(confirm)},\n"knobs":[\n'
        self._write(self.base, text + ",\n".join(rows) + "\n]}\n")

    def _row(self, record: Record) -> str:
        original = record.original
        if len(original) > LONG:
            if not record.kept:
                record.kept = f"{self.base}.{record.seq}-{digest(original)[:8]}"
                self._write(record.kept, original)
            original = digest(original)
        return dumped(
            {
                "seq": record.seq,
                "step": record.step,
                "knob": record.knob,
                "kind": record.kind,
                "arg": record.argument,
                "original": original,
                "ours": record.ours,
                "time": record.time,
                "kept": record.kept,
            }
        )

    def _write(self, name: str, text: str) -> None:
        temporary = os.path.join(self.directory, f"{TEMPORARY}{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(text.encode(errors="surrogateescape"))
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, os.path.join(self.directory, name))
        except BaseException:
            os.unlink(temporary)
            raise
        self._sync_directory()

    def _sync_directory(self) -> None:
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _forget_kept(self) -> None:
        """Files of originals that no record names any more."""
        if not os.path.isdir(self.directory):
            return
        used = {record.kept for record in self.records.values()}
        for name in os.listdir(self.directory):
            if re.match(re.escape(self.base) + r"\.[0-9]+-[0-9a-f]{8}\Z", name) and name not in used:
                os.unlink(os.path.join(self.directory, name))

    # --- Records ---------------------------------------------------------------------------------

    def find(self, step: int, kind: str, argument: str) -> Optional[Record]:
        for record in self.records.values():
            if (record.step, record.kind, record.argument) == (step, kind, argument):
                return record
        return None

    def add(self, step: int, knob: str, kind: str, argument: str, original: str, ours: str) -> Record:
        seq = max(self.records, default=0) + 1
        self.records[seq] = Record(seq, step, knob, kind, argument, original, ours, now())
        return self.records[seq]

    def drop(self, record: Record) -> None:
        del self.records[record.seq]

    def stale(self, boot_id: str) -> int:
        """How many settings went with another boot: only files outlive one."""
        if self.host.get("boot_id", boot_id) == boot_id:
            return 0
        return len([record for record in self.records.values() if record.kind != "bootline"])

    def forget_boot(self) -> None:
        self.records = {seq: record for seq, record in self.records.items() if record.kind == "bootline"}
        self.host = {}
        self.token = self.deadline = self.confirm_steps = ""


def dumped(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
