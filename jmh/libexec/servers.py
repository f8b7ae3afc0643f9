"""Servers to measure: each is started here, on its CPUs, and stopped by its pid."""
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time

import host
from host import Failure

START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 15

NGINX = '''
worker_processes {workers};
daemon off;
master_process on;
user root;
pid {directory}/pid;
error_log {directory}/error crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    server_tokens off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path {directory};
    proxy_temp_path {directory};
    fastcgi_temp_path {directory};
    uwsgi_temp_path {directory};
    scgi_temp_path {directory};
    server {{
        listen 127.0.0.1:{port} backlog=65535;
        location = /plaintext {{ default_type text/plain; return 200 "Hello, World!"; }}
        {files}
    }}
}}
'''

# What its own documentation advises for static files.
NGINX_FILES = '''
        root "{root}";
        sendfile on;
        tcp_nopush on;
        etag on;
        open_file_cache max=10000 inactive=600s;
        open_file_cache_valid 60s;
'''


# Without what others check for the sake of debugging.
PEERS = {
    'netty': (['-Dio.netty.noUnsafe=false', '-Dio.netty.leakDetection.level=disabled', '-Dio.netty.buffer.checkBounds=false',
               '-Dio.netty.buffer.checkAccessible=false'], 'NettyServer'),
    'helidon': ([], 'HelidonServer'),
}


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def cpus_text(cpus):
    return ','.join(str(cpu) for cpu in cpus)


class Server:
    """One server process with its children, from start() to stop()."""

    def __init__(self, label, cpus, scratch):
        self.label, self.cpus, self.scratch = label, cpus, scratch
        self.port = free_port()
        self.log = tempfile.NamedTemporaryFile(dir=scratch, prefix=f'{label}.', suffix='.log', delete=False)
        self.process = None
        self.jvm = False
        self.warm_seconds = 1
        self.nice = 0

    def command(self):
        raise NotImplementedError

    def start(self):
        command = [*host.on_cpus(self.cpus, self.nice), *self.command()]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            if self.process.poll() is not None:
                raise Failure(f'{self.label}: ended with {self.process.returncode}: {self.last_words()}')
            try:
                socket.create_connection(('127.0.0.1', self.port), timeout=1).close()
                return self
            except OSError:
                pass
            if time.monotonic() > deadline:
                self.stop()
                raise Failure(f'{self.label}: does not listen after {START_SECONDS_MAX} s: {self.last_words()}')
            time.sleep(0.05)

    def last_words(self):
        return host.read(self.log.name)[-800:]

    def pids(self):
        """The process and its children: nginx has its workers."""
        path = f'/proc/{self.process.pid}/task/{self.process.pid}/children'
        return [self.process.pid, *(int(pid) for pid in host.read(path).split())]

    def freeze(self):
        """A JVM that is not measured has no business on the CPU."""
        if self.jvm and self.process:
            os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        if self.jvm and self.process:
            os.kill(self.process.pid, signal.SIGCONT)

    def stop(self):
        if not self.process or self.process.poll() is not None:
            return
        self.thaw()
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bareloop(Server):
    def __init__(self, cpus, scratch, options, label='bareloop', jvm_options=(), arguments=()):
        super().__init__(label, cpus, scratch)
        self.jvm, self.warm_seconds = True, options.warm
        self.java = options.java_file
        self.jar = options.jar
        self.jvm_options = [*shlex.split(options.jvm_options), *jvm_options]
        self.arguments = [*shlex.split(options.server_options), *arguments]

    def command(self):
        return [self.java, *self.jvm_options, '-jar', self.jar, '--host', '127.0.0.1', '--port', str(self.port),
                '--cpus', cpus_text(self.cpus), *self.arguments]


class OfLibrary(Server):
    """A main class that serves with the library: its arguments are the port, the CPUs and what else it takes."""

    def __init__(self, label, main, cpus, scratch, options, arguments=()):
        super().__init__(label, cpus, scratch)
        self.jvm, self.warm_seconds = True, options.warm
        self.java, self.jvm_options = options.java_file, shlex.split(options.jvm_options)
        self.main, self.arguments = main, arguments

    def command(self):
        return [self.java, *self.jvm_options, '--enable-native-access=ALL-UNNAMED', '-cp', host.class_path(),
                f'io.bareloop.load.{self.main}', str(self.port), cpus_text(self.cpus), *self.arguments]


class Sized(OfLibrary):
    """Bareloop with responses of many sizes."""

    def __init__(self, cpus, scratch, options):
        super().__init__('bareloop', 'SizedServer', cpus, scratch, options)


class Featured(OfLibrary):
    """Bareloop with these features of its API, and no others."""

    def __init__(self, label, features, cpus, scratch, options, log):
        super().__init__(label, 'FeatureServer', cpus, scratch, options, [','.join(features), log])
        self.access_log = log


class Peer(Server):
    """A Java server of others, by its class in io.bareloop.peers."""

    def __init__(self, name, cpus, scratch, options):
        super().__init__(name, cpus, scratch)
        self.jvm, self.warm_seconds = True, options.warm
        self.java = options.java_file
        self.jvm_options, self.main = PEERS[name]

    def command(self):
        # Netty's own buffers; JDK 24 and later warn of them, and JDK 22 does not know the option.
        memory = ['--sun-misc-unsafe-memory-access=allow'] if host.java_version(self.java)[0] >= 23 else []
        return [self.java, *memory, '--enable-native-access=ALL-UNNAMED', *self.jvm_options, '-cp', host.class_path(),
                f'io.bareloop.peers.{self.main}', str(self.port)]


class Floor(Server):
    def __init__(self, cpus, scratch):
        super().__init__('floor', cpus, scratch)
        self.program = host.compile_c(os.path.join(host.HERE, 'floor.c'), 'floor')

    def command(self):
        return [self.program, str(self.port)]


class Nginx(Server):
    def __init__(self, cpus, scratch, root=None):
        super().__init__('nginx', cpus, scratch)
        self.files = NGINX_FILES.format(root=root) if root else ''
        self.program = host.need('nginx', 'nginx')
        self.directory = tempfile.mkdtemp(dir=scratch)

    def command(self):
        configuration = os.path.join(self.directory, 'conf')
        with open(configuration, 'w', encoding='utf-8') as file:
            file.write(NGINX.format(port=self.port, directory=self.directory, workers=len(self.cpus), files=self.files))
        return [self.program, '-p', self.directory, '-c', configuration, '-e', os.path.join(self.directory, 'error')]


class Other(Server):
    """LABEL=COMMAND, with {port}, {cpus}, {java}, {jar} and, of files, {root} filled in; it serves what Bareloop serves."""

    def __init__(self, text, cpus, scratch, options, root=None):
        label, _, command = text.partition('=')
        if not label or not command:
            raise Failure(f'--server {text}: LABEL=COMMAND')
        super().__init__(label, cpus, scratch)
        fills = {'port': self.port, 'cpus': cpus_text(cpus), 'java': options.java_file, 'jar': options.jar}
        if root:
            fills['root'] = root
        try:
            self.words = [word.format(**fills) for word in shlex.split(command)]
        except (KeyError, IndexError, ValueError) as e:
            raise Failure(f'--server {text}: {e}; there are ' + ', '.join(f'{{{name}}}' for name in fills)) from e
        self.jvm = os.path.basename(self.words[0]) == 'java'
        self.warm_seconds = options.warm if self.jvm else 1

    def command(self):
        return self.words


def peers(names, cpus, scratch, options, root=None):
    """The servers of these names, of files where there is a root; one that is not installed is left out, and that is said."""
    made, left_out = [], []
    for name in names:
        try:
            if name == 'floor' and not root:
                made.append(Floor(cpus, scratch))
            elif name == 'bareloop':
                made.append(Bareloop(cpus, scratch, options, arguments=['--root', root] if root else []))
            elif name == 'nginx':
                made.append(Nginx(cpus, scratch, root))
            elif name in PEERS and not root:
                made.append(Peer(name, cpus, scratch, options))
            elif root:
                raise Failure(f'{name}: no such server of files; there are bareloop, nginx, and --server')
            else:
                raise Failure(f'{name}: no such server; there are floor, bareloop, nginx, {", ".join(PEERS)}, and --server')
        except Failure as failure:
            if name not in ('floor', 'nginx') or 'not found' not in str(failure):
                raise
            left_out.append(f'{name} is left out: {failure}')
            host.say(left_out[-1])
    made += [Other(text, cpus, scratch, options, root) for text in options.server]
    return made, left_out
