"""A distribution's kernel: its packages found, downloaded, unpacked; nothing is installed."""

from __future__ import annotations

import glob
import os
import re
import shutil
from typing import Sequence

from lab import commands
from lab.keeper import Undo
from measuring import common
from output import fail

PACKAGE = "linux-image-cloud-amd64"
OTHER_PACKAGE = "--kernel FILE.deb takes one from elsewhere"
# Later releases have the kernel and its modules in packages of their own.
PARTS = re.compile(r"\blinux-(?:base|binary|modules)-[0-9][^ ,]*")


class Kernel:
    """An unpacked kernel: its version, its image, its modules."""

    def __init__(self, root: str) -> None:
        self.root = root
        library = os.path.join(root, "lib")
        if not os.path.exists(library) and os.path.exists(os.path.join(root, "usr/lib")):
            os.symlink("usr/lib", library)
        found = sorted(glob.glob(f"{library}/modules/*"))
        self.version = os.path.basename(found[-1]) if found else ""
        self.modules = f"{library}/modules/{self.version}"
        images = (f"{root}/boot/vmlinuz-{self.version}", f"{self.modules}/vmlinuz")
        self.image = next((image for image in images if os.path.exists(image)), "")

    def files_of(self, module: str) -> list[str]:
        """The files of a module and of what it needs; none where it is built in. Raises LookupError."""
        command = ["modprobe", "-d", self.root, "-S", self.version, "--show-depends", module]
        result = commands.run(command)
        if result.status != 0:
            raise LookupError(result.failure)
        return re.findall(r"^insmod (\S+)", result.output, re.M)


class Cache:
    """Downloaded packages, kept from run to run; never a part of one."""

    def __init__(self, directory: str, undo: Undo) -> None:
        self.directory, self.undo = directory, undo

    def package(self, name: str) -> str:
        """The newest file of this package, downloaded where there is none."""
        if not files_of(self.directory, name):
            self._download(name)
        files = files_of(self.directory, name)
        if not files:
            fail(f"apt-get download {name}: no file of it in {self.directory}; {OTHER_PACKAGE}")
        return files[-1]

    def _download(self, name: str) -> None:
        common.say(f"    downloading {name}")
        place = os.path.join(self.directory, f"part.{os.getpid()}")
        self.undo.by(["rm", "-rf", place], where=place)
        os.makedirs(place)

        def so_far() -> str:
            return f"{sum(map(os.path.getsize, files_of(place, name, '*'))) >> 20} MiB"

        # apt's own user cannot write to a directory of root's.
        command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", name]
        commands.patiently(command, so_far, OTHER_PACKAGE, cwd=place)
        for file in files_of(place, name):
            os.rename(file, os.path.join(self.directory, os.path.basename(file)))
        shutil.rmtree(place)


def files_of(directory: str, name: str, end: str = "*.deb") -> list[str]:
    return sorted(glob.glob(f"{glob.escape(directory)}/{name}_{end}"), key=os.path.getmtime)


def packages(asked: Sequence[str], directory: str, undo: Undo) -> list[str]:
    """The files that make a kernel: those asked for, or of the package asked for, or of the newest."""
    files = [one for one in asked if one.endswith(".deb")]
    names = [one for one in asked if not one.endswith(".deb")]
    if not files:
        os.makedirs(directory, exist_ok=True)
    cache = Cache(directory, undo)
    for name in names or ([] if files else [PACKAGE]):
        image = cache.package(depended_image(name))
        depends = commands.must(["dpkg-deb", "-f", image, "Depends"])
        files += [image, *(cache.package(part) for part in sorted(set(PARTS.findall(depends))))]
    return files


def depended_image(name: str) -> str:
    """What a package that only depends on the newest kernel stands for; the name itself for a kernel."""
    depends = commands.run(["apt-cache", "depends", "--important", name])
    if depends.status != 0:
        fail(f"--kernel {name}: neither a .deb file nor a package that apt knows: apt-get update, or {OTHER_PACKAGE}")
    found = re.search(r"Depends: (linux-image-\S+)", depends.output)
    return found.group(1) if found else name


def unpack(asked: Sequence[str], cache: str, root: str, undo: Undo) -> Kernel:
    files = packages(asked, cache, undo)
    for file in files:
        if not os.access(file, os.R_OK):
            fail(f"--kernel {file}: cannot be read")
        commands.must(["dpkg-deb", "-x", file, root], f"--kernel {file}: not a Debian package")
    kernel = Kernel(root)
    if not kernel.image:
        hint = "the packages it depends on (dpkg-deb -f FILE Depends) are given by --kernel too"
        fail(f"--kernel {' '.join(files)}: no kernel image in it; {hint}")
    return kernel
