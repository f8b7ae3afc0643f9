"""bench startup: from exec to the first response, to the steady rate, and the memory then.

The ways of starting take turns. One loop on one CPU, wrk on another. The runtime image is built where it is missing.
"""
import os
import re
import resource
import shlex
import signal
import socket
import statistics
import subprocess
import tempfile
import time

import host
import servers
from host import Failure

REQUEST = b'GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n'
START_SECONDS_MAX = 30
WINDOW_SECONDS = 0.1  # Over which throughput is taken.
SAMPLE_SECONDS = 0.01
STEADY_SHARE = 0.95
AOT_JDK_MIN = 25
IMAGE = os.path.join(host.TARGET, 'image', 'bin', 'bareloop')
BUILD_IMAGE = ['mvn', '-q', '-B', '-ntp', '-Pimage', 'package', '-DskipTests', '-Dspotless.check.skip=true']
PIPELINED = '''
init = function(args)
  local one, all = wrk.format(nil, "/plaintext"), {}
  for i = 1, 16 do all[i] = one end
  request_all = table.concat(all)
end
request = function() return request_all end
'''


def options(parser):
    parser.add_argument('--loads', type=int, help='starts under load of each (default: 3)')
    parser.add_argument('--requests', type=int, help='after which memory is read (default: 10 million)')
    parser.add_argument('--connections', type=int, help='under which memory is read (default: 10000)')
    parser.add_argument('--warmup', default='300', help='milliseconds, of the row with warm-up (default: %(default)s)')
    parser.add_argument('--only', metavar='NAME;...', help='these rows alone')
    parser.add_argument('--variant', action='append', default=[], metavar='NAME=FLAGS',
                        help='a further row: an AOT cache made and used with these flags of the JVM; repeatable')


def run(options):
    loads, requests, connections = (1, 50_000, 50) if options.quick else (3, 10_000_000, 10_000)
    options.loads = options.loads or loads
    options.requests = options.requests or requests
    options.connections = options.connections or connections
    options.seconds = max(2, round(options.seconds))
    host.need('wrk', 'wrk')
    allow_files(options.connections + 100)
    variants, left_out = variants_of(options)
    script = os.path.join(options.scratch, 'pipelined.lua')
    with open(script, 'w', encoding='utf-8') as file:
        file.write(PIPELINED)
    times = first_responses(options, variants)
    rows = []
    for name, command in variants.items():
        host.say(f'under load: {name}')
        rows.append({'variant': name, 'first_response_ms': [round(ms, 1) for ms, _ in times[name]],
                     'cpu_ms': [round(cpu) for _, cpu in times[name]], **measure(options, command, script)})
    return {'results': rows, 'left_out': left_out}


def allow_files(wanted):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Failure(f'{wanted} open files are more than the limit, {hard} (ulimit -n): --connections')


# --- The ways to start it ------------------------------------------------------------------------


def variants_of(options):
    """Commands by name, and what is left out and why."""
    java, jar = options.java_file, os.path.abspath(options.jar)
    tuned = [java, '@' + os.path.join(host.REPOSITORY, 'tune', 'jvm.options'), *shlex.split(options.jvm_options)]
    serve = ['serve', '--host', '127.0.0.1', '--cpus', servers.cpus_text(options.server_cpus[:1]), *shlex.split(options.server_options)]
    variants = {'java -jar': [java, '-jar', jar, *serve], 'jvm.options': [*tuned, '-jar', jar, *serve]}
    left_out = []
    if host.java_version(java)[0] >= AOT_JDK_MIN:
        aot = cached(options, tuned, jar, 'tuned')
        variants['jvm.options, AOT cache'] = [*aot, *serve]
        variants['jvm.options, AOT cache, --warmup'] = [*aot, *serve, '--warmup', options.warmup]
    else:
        left_out.append(f'AOT caches are left out: they need JDK {AOT_JDK_MIN}')
    if not options.no_build:
        build_image()
    if os.access(IMAGE, os.X_OK):
        variants['runtime image'] = [IMAGE, *serve]
    else:
        left_out.append(f'the runtime image is left out: {shlex.join(BUILD_IMAGE)} makes it')
    for extra in options.variant:
        name, _, flags = extra.partition('=')
        variants[name] = [*cached(options, [java, *flags.split()], jar, name), *serve]
    if options.only:
        unknown = [name for name in options.only.split(';') if name not in variants]
        if unknown:
            raise Failure(f"--only {'; '.join(unknown)}: there are {'; '.join(variants)}")
        variants = {name: variants[name] for name in options.only.split(';')}
    return variants, left_out


def cached(options, flags, jar, name):
    path = os.path.join(options.scratch, name + '.aot')
    ran = subprocess.run([*flags, '-jar', jar, 'aot', path], capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failure(f'{name}: no AOT cache: {ran.stderr.strip()[-800:]}')
    return [*flags, '-XX:AOTCache=' + path, '-jar', jar]


def build_image():
    if os.access(IMAGE, os.X_OK) and os.path.getmtime(IMAGE) >= host.newest_source():
        return
    host.say('building the runtime image (mvn -Pimage package)')
    ran = subprocess.run(BUILD_IMAGE, cwd=host.REPOSITORY, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failure('the build of the image failed:\n' + (ran.stdout + ran.stderr)[-3000:])


# --- The server ----------------------------------------------------------------------------------


class Started:
    """A started server, and how long it took to answer."""

    def __init__(self, command):
        self.log = tempfile.TemporaryFile()
        self.port = servers.free_port()
        self.exec_time = time.monotonic()
        self.process = subprocess.Popen([*command, '--port', str(self.port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        try:
            self.first_response = self.await_response() - self.exec_time
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def await_response(self):
        while True:
            try:
                with socket.create_connection(('127.0.0.1', self.port), 5) as client:
                    client.sendall(REQUEST)
                    if not client.recv(4096).startswith(b'HTTP/1.1 200 '):
                        raise Failure('/plaintext was answered, but not with 200')
                    return time.monotonic()
            except ConnectionError:
                pass
            if self.process.poll() is not None:
                self.log.seek(0)
                raise Failure('the server ended: ' + self.log.read().decode().strip()[-800:])
            if time.monotonic() - self.exec_time > START_SECONDS_MAX:
                raise Failure(f'no response within {START_SECONDS_MAX} s')
            time.sleep(0.0005)

    def rss_mib(self):
        lines = dict(line.split(':', 1) for line in host.read(f'/proc/{self.process.pid}/status').splitlines())
        return round(int(lines['VmRSS'].split()[0]) / 1024, 1)

    def cpu_seconds(self):
        fields = host.read(f'/proc/{self.process.pid}/stat').rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            if self.process.wait(START_SECONDS_MAX) != 0:
                raise Failure(f'exit status {self.process.returncode} after SIGTERM')
        finally:
            self.process.kill()


# --- What is measured ----------------------------------------------------------------------------


def first_responses(options, variants):
    """By name, the milliseconds to the first response and those of CPU."""
    times = {name: [] for name in variants}
    for number in range(options.rounds):
        host.say(f'start {number + 1} of {options.rounds} of each')
        for name, command in variants.items():
            server = Started(command)
            cpu = server.cpu_seconds()
            server.stop()
            times[name].append((server.first_response * 1000, cpu * 1000))
    return times


def measure(options, command, script):
    row = {'steady_s': [], 'requests_per_s': []}
    for left in range(options.loads - 1, -1, -1):
        server = Started(command)
        try:
            row['rss_start_mib'] = server.rss_mib()
            seconds, rate = time_to_steady(options, server)
            row['steady_s'].append(round(seconds, 3))
            row['requests_per_s'].append(round(rate))
            if left == 0:
                done = rate * options.seconds
                row['rss_requests_mib'], row['requests'] = after_requests(options, server, script, round(done))
                row['rss_connections_mib'] = under_connections(server, options.connections)
        finally:
            server.stop()
    return row


def time_to_steady(options, server):
    """Seconds from exec until a window reaches the share of the rate of the last third, and the rate."""
    load = wrk(options, server, options.seconds)
    samples = []
    while load.poll() is None:
        samples.append((time.monotonic(), loopback_bytes()))
        time.sleep(SAMPLE_SECONDS)
    requests = answered(load.communicate()[0])
    # wrk says how many, the interface says when.
    samples = [sample for sample in samples if sample[1] > samples[0][1]][:-20]
    rates = []
    ahead = 0
    for at, count in samples:
        while ahead < len(samples) and samples[ahead][0] < at + WINDOW_SECONDS:
            ahead += 1
        if ahead == len(samples):
            break
        rates.append((samples[ahead][0], (samples[ahead][1] - count) / (samples[ahead][0] - at)))
    steady = statistics.median(rate for _, rate in rates[len(rates) * 2 // 3:])
    reached = next(at for at, rate in rates if rate >= STEADY_SHARE * steady)
    return reached - server.exec_time, requests / options.seconds


def loopback_bytes():
    return next(int(line.split(':')[1].split()[0]) for line in host.read('/proc/net/dev').splitlines() if line.strip()[:3] == 'lo:')


def wrk(options, server, seconds, script=None):
    command = [*host.on_cpus(options.client_cpus[:1]), 'wrk', '-t1', '-c64', f'-d{seconds}', *(['-s', script] if script else []),
               f'http://127.0.0.1:{server.port}/plaintext']
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def answered(output):
    match = re.search(r'(\d+) requests in ', output)
    if not match or 'Non-2xx' in output or 'Socket errors' in output:
        raise Failure('wrk: ' + output.strip()[-800:])
    return int(match[1])


def after_requests(options, server, script, done):
    while done < options.requests:
        done += answered(wrk(options, server, 2, script).communicate()[0])
    time.sleep(0.2 if options.quick else 1)  # For the JVM to return what it freed.
    return server.rss_mib(), done


def under_connections(server, count):
    clients = []
    try:
        for _ in range(count):
            client = socket.create_connection(('127.0.0.1', server.port), 10)
            clients.append(client)
            client.sendall(REQUEST)
        for client in clients:
            if not client.recv(4096).startswith(b'HTTP/1.1 200 '):
                raise Failure('a connection was not answered with 200')
        return server.rss_mib()
    finally:
        for client in clients:
            client.close()


# --- Report --------------------------------------------------------------------------------------


def table(results):
    run = results['run']
    text = ['From exec; medians (least to greatest). Memory is resident: of the process with what it maps of files.', '',
            '| started with | first response, ms | CPU until then, ms | 95 % of the steady rate, s | requests/s | MiB at start '
            f"| after {run['requests'] / 1e6:g} million requests | {run['connections']} connections |",
            '| --- | --- | ---: | --- | ---: | ---: | ---: | ---: |']
    for row in results['results']:
        first, steady = row['first_response_ms'], row['steady_s']
        text.append(f"| {row['variant']} | {statistics.median(first):.0f} ({min(first):.0f} to {max(first):.0f}) | "
                    f"{statistics.median(row['cpu_ms']):.0f} | {statistics.median(steady):.2f} ({min(steady):.2f} to {max(steady):.2f}) | "
                    f"{statistics.median(row['requests_per_s']):.0f} | {row['rss_start_mib']} | {row['rss_requests_mib']} | "
                    f"{row['rss_connections_mib']} |")
    return [*text, '', *results['left_out']]


def chart(results, draw, title, lines):
    groups = []
    for heading, unit, value_of in (
            ('first response', 'ms', lambda row: statistics.median(row['first_response_ms'])),
            ('95 % of the steady rate', 's', lambda row: statistics.median(row['steady_s'])),
            ('memory after all requests', 'MiB', lambda row: row['rss_requests_mib'])):
        groups.append((heading, [(row['variant'], value_of(row), f'{value_of(row):.3g} {unit}') for row in results['results']]))
    rows = sum(len(group) for _, group in groups)
    page = draw.Page(title, lines, 760, 100 + 20 * (rows + len(groups)) + 6 * len(groups))
    draw.bars(page, (220, 80, 420, 20), groups)
    return page
