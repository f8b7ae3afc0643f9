"""The guest's root: tools of this machine, modules of the kernel, tune, and the server; as an initramfs."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from typing import Iterable, Iterator

from lab import commands
from lab.kernels import Kernel
from measuring import common
from output import fail

# Loaded at boot; with them everything they depend on comes along.
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "nf_tables", "nft_ct", "nft_chain_nat")
# What later kernels may leave out: step 4 has less to put away then.
MODULES_OPTIONAL = ("iptable_filter", "ip6table_filter", "tcp_bbr")
TOOLS = (
    "bash env ip tc ss ethtool nft auditctl kmod sed grep find xargs ps sysctl mount umount flock setsid nsenter "
    "taskset dmesg getconf iptables-save iptables-restore"
).split()
DIRECTORIES = (
    "proc sys dev run tmp disk etc/default boot root opt var/lib/bareloop-tune usr/bin usr/sbin usr/lib usr/lib64"
).split()
# Of Python's library what tune can ask for, beside the modules that are one file each.
PYTHON_PACKAGES = ("collections", "ctypes", "encodings", "importlib", "json", "re")
PYTHON_EXTENSIONS = ("_ctypes", "_json", "_struct", "_socket", "_hashlib", "_sha256", "fcntl")
LOADER = "/lib64/ld-linux-x86-64.so.2"  # As the machine that QEMU emulates has it.
IN_USR = re.compile(r"/(bin|sbin|lib|lib32|lib64|libx32)/")


class Image:
    def __init__(self, root: str) -> None:
        self.root = root
        self.library = ""  # Where Python's modules are, here and there.

    def within(self, path: str) -> str:
        """/bin, /sbin and /lib* are links into /usr, there as here."""
        return os.path.join(self.root, ("usr/" if IN_USR.match(path) else "") + path.lstrip("/"))

    def add(self, files: Iterable[str]) -> None:
        """Each file, and the libraries it needs, where they are here."""
        wanted = list(files)
        libraries = sorted(set().union(*map(libraries_of, wanted)))
        for file in [*wanted, *libraries]:
            if file.startswith(self.root):
                continue
            target = self.within(file)
            if not os.path.exists(target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(file, target)

    def link(self, target: str, name: str) -> None:
        path = os.path.join(self.root, name)
        if os.path.lexists(path):
            os.remove(path)
        os.symlink(target, path)

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.root, name), "w") as file:
            file.write(text)

    # --- What is in it ---------------------------------------------------------------------------

    def build(self, kernel: Kernel) -> None:
        for directory in DIRECTORIES:
            os.makedirs(os.path.join(self.root, directory), exist_ok=True)
        for directory in ("bin", "sbin", "lib", "lib64"):
            self.link(f"usr/{directory}", directory)
        self.add_tools()
        self.add_python()
        self.add_modules(kernel)
        self.add_tune()
        self.compile_python()
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        self.write("etc/group", "root:x:0:\n")
        self.write("etc/os-release", 'PRETTY_NAME="lab of tune"\nID=lab\n')

    def add_tools(self) -> None:
        found = [path for path in (shutil.which(tool) for tool in TOOLS) if path]
        listed = commands.must(["dpkg", "-L", "coreutils"]).splitlines()
        self.add(found + [path for path in listed if re.match(r"(/usr)?/bin/[^/]+$", path)])
        in_sbin = os.path.exists(f"{self.root}/usr/sbin/kmod")
        if in_sbin:
            self.link("../sbin/kmod", "usr/bin/kmod")
        for tool in ("lsmod", "modprobe", "rmmod", "insmod"):
            self.link("kmod", f"usr/bin/{tool}")
            self.link("kmod" if in_sbin else "../bin/kmod", f"usr/sbin/{tool}")
        self.link("bash", "usr/bin/sh")

    def add_python(self) -> None:
        """The interpreter and what of its library tune can ask for."""
        asked = "import sysconfig; print(sysconfig.get_paths()['stdlib'])"
        self.library = library = commands.must(["/usr/bin/python3", "-ISc", asked]).strip()
        program = os.path.realpath("/usr/bin/python3")
        self.add([program])
        if os.path.basename(program) != "python3":
            self.link(os.path.basename(program), "usr/bin/python3")
        extensions = os.path.join(self.root + library, "lib-dynload")
        os.makedirs(extensions, exist_ok=True)
        for file in glob.glob(f"{library}/*.py"):
            shutil.copy2(file, self.root + library)
        for package in PYTHON_PACKAGES:
            if os.path.isdir(f"{library}/{package}"):
                target = f"{self.root}{library}/{package}"
                shutil.copytree(
                    f"{library}/{package}", target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
                )
        # Some are built into the interpreter.
        self.add(file for name in PYTHON_EXTENSIONS for file in glob.glob(f"{library}/lib-dynload/{name}.*"))

    def add_modules(self, kernel: Kernel) -> None:
        commands.must(["depmod", "-b", kernel.root, kernel.version])
        files: set[str] = set()
        for module in MODULES + MODULES_OPTIONAL:
            try:
                files.update(kernel.files_of(module))
            except LookupError as error:
                if module in MODULES:
                    fail(f"kernel {kernel.version}: {error}")
                common.say(f"    note: Linux {kernel.version} has no module {module}")
        for file in files:
            self._copy_beside(kernel, os.path.relpath(file, kernel.root))
        for file in glob.glob(f"{kernel.modules}/modules.builtin*") + glob.glob(f"{kernel.modules}/modules.order*"):
            self._copy_beside(kernel, os.path.relpath(file, kernel.root))
        commands.must(["depmod", "-b", self.root, kernel.version])

    def _copy_beside(self, kernel: Kernel, name: str) -> None:
        target = self.within("/" + name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(kernel.root, name), target)

    def add_tune(self) -> None:
        """Python is in the guest, for tune needs it; so the guest's own part is Python too."""
        left_out = shutil.ignore_patterns("__pycache__", "test", "example")
        shutil.copytree(common.HERE, f"{self.root}/opt/tune", ignore=left_out, symlinks=True, dirs_exist_ok=True)
        guest = os.path.join(common.HERE, "lab/guest")
        shutil.copy2(f"{guest}/init", f"{self.root}/init")
        shutil.copy2(f"{guest}/update-grub", f"{self.root}/usr/sbin/update-grub")

    def compile_python(self) -> None:
        """Bytecode for what the guest imports: an emulated CPU would compile for ten seconds at each start of tune.
        Never compared with its source, for an initramfs need not keep the time of a file."""
        command = ["/usr/bin/python3", "-ISB", "-m", "compileall", "-q", "-s", self.root, "-p", "/"]
        command += ["--invalidation-mode", "unchecked-hash", self.root + self.library, f"{self.root}/opt/tune"]
        result = commands.run(command)
        if result.status != 0:
            common.say(f"    note: not everything has bytecode, so the guest is slower: {result.failure}")

    def add_server(self, java: str, jar: str) -> None:
        """The server, and a runtime of what it needs."""
        runtime = f"{self.root}/opt/jre"
        command = [os.path.join(os.path.dirname(java), "jlink"), "--add-modules", "java.base"]
        command += ["--strip-debug", "--no-header-files", "--no-man-pages", "--output", runtime]
        commands.patiently(command, lambda: "jlink")
        shutil.copy2(jar, f"{self.root}/opt/bareloop.jar")
        libraries = [*glob.glob(f"{runtime}/lib/**/*.so", recursive=True), f"{runtime}/bin/java"]
        self.add(sorted(set().union(*map(libraries_of, libraries))))

    # --- As an initramfs -------------------------------------------------------------------------

    def pack(self, to: str) -> None:
        names = [os.path.relpath(os.path.join(directory, name), self.root) for directory, name in self._entries()]
        with open(to, "wb") as out:
            with commands.Child(["zstd", "-q", "-1", "-T0"], stdin=subprocess.PIPE, stdout=out) as zstd:
                archive = ["cpio", "-0", "-o", "-H", "newc", "--quiet"]
                with commands.Child(
                    archive, stdin=subprocess.PIPE, stdout=zstd.process.stdin, stderr=subprocess.PIPE, cwd=self.root
                ) as cpio:
                    assert zstd.process.stdin is not None
                    zstd.process.stdin.close()  # cpio has it now.
                    errors = cpio.process.communicate("\0".join(names).encode() + b"\0")[1]
                    done = commands.Result(archive, cpio.process.returncode, "", commands.text(errors))
                if done.status == 0:
                    done = commands.Result(["zstd"], zstd.process.wait(), "", "")
        if done.status != 0:
            fail(f"{done.failure}; is there room for {to}?")

    def _entries(self) -> Iterator[tuple[str, str]]:
        """Directories before what is in them."""
        for directory, directories, files in os.walk(self.root):
            for name in sorted(directories) + sorted(files):
                yield directory, name


def libraries_of(program: str) -> set[str]:
    """None for what is no dynamic program. The loader itself is asked: ldd starts three shells for each."""
    listed = commands.run([LOADER, "--list", program]).output
    found = set(re.findall(r"(?:=> |^\s)(/\S+) \(0x", listed, re.M))
    return found | {LOADER} if found else found
