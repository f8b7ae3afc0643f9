"""bench short: connections of one request, and of ten; and the system calls each costs the server."""
import glob
import os
import re
import signal
import subprocess
import time

import cpu
import host
import load
from host import Failure

COUNTED_CONNECTIONS, COUNTED_CONNECTIONS_QUICK = 2000, 500
ATTACH_SECONDS_MAX = 10
SHOWN_FROM = 0.005  # Calls per connection; below are those of helper threads.


def options(parser):
    parser.add_argument('--requests', default='1,10', help='requests per connection (default: %(default)s)')
    parser.add_argument('--connections', type=int, default=64, help='at a time (default: %(default)s)')
    parser.add_argument('--servers', default='floor,bareloop,nginx', help='the first is the baseline (default: %(default)s)')
    parser.add_argument('--no-strace', action='store_true', help='do not count system calls')


def run(options):
    strace = None if options.no_strace else host.need('strace', 'strace')
    points = [{'requests_per_connection': int(number)} for number in options.requests.split(',')]
    with cpu.servers_of(options) as (peers, left_out):
        def load_of(point):
            return {**cpu.PLAINTEXT, 'connections': options.connections, **point}
        rounds = cpu.rounds_of(options, peers, points, load_of)
        calls = []
        if strace:
            for peer in peers:
                for point in points:
                    host.say(f"counting system calls: {peer.label}, {point['requests_per_connection']} a connection")
                    peer.thaw()
                    calls.append({'server': peer.label, 'point': point, **count(options, strace, peer, load_of(point))})
                    peer.freeze()
    return {'results': rounds, 'calls': calls, 'left_out': left_out, 'baseline': peers[0].label}


def count(options, strace, peer, wanted):
    out = os.path.join(options.scratch, 'strace')
    command = [strace, '-f', '-c', '-U', 'calls,name', '-o', out]
    for pid in peer.pids():
        command += ['-p', str(pid)]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + ATTACH_SECONDS_MAX
        while tracer.poll() is None and not all(traced(pid) for pid in peer.pids()) and time.monotonic() < deadline:
            time.sleep(0.05)
        if tracer.poll() is not None:
            raise Failure(f'strace cannot attach (root, or kernel.yama.ptrace_scope=0): {tracer.stderr.read().strip()[-300:]}')
        total = COUNTED_CONNECTIONS_QUICK if options.quick else COUNTED_CONNECTIONS
        result = load.generate(options, peer, [], 0, 1, connections_total=total, **wanted)
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)
    opened = result['connections_opened']
    found = {}
    for line in host.read(out).splitlines():
        match = re.match(r'^\s*(\d+)\s+([a-z_0-9]+)$', line)
        if match and match[2] != 'total' and int(match[1]) / opened >= SHOWN_FROM:
            found[match[2]] = int(match[1]) / opened
    return {'connections': opened, 'calls': found}


def traced(pid):
    """Whether a tracer has every thread of a process."""
    return all(re.search(r'^TracerPid:\s*[1-9]', host.read(path), re.M) for path in glob.glob(f'/proc/{pid}/task/*/status'))


def table(results):
    lines = list(cpu.summary(results['results'], results['baseline']).values())
    text = [f"CPU of the server process; ratios to {results['baseline']}, paired: median (least to greatest)", '',
            '| requests a connection | server | CPU us/connection | CPU us/request | ratio | connections/s | p50 us | p99 us |',
            '| ---: | --- | ---: | ---: | --- | ---: | ---: | ---: |']
    for line in lines:
        number = line['point']['requests_per_connection']
        text.append(f"| {number} | {line['server']} | {line['cpu_us'] * number:.1f} | {line['cpu_us']:.2f} | {cpu.ratio_text(line)} | "
                    f"{line['rate'] / number:.0f} | {line['p50_us']:.0f} | {line['p99_us']:.0f} |")
    if results['calls']:
        text += ['', 'System calls of the server per connection (strace -f -c; it slows the server down, and epoll_wait finds more at a time):', '',
                 '| requests a connection | server | all | calls |', '| ---: | --- | ---: | --- |']
        for row in results['calls']:
            calls = sorted(row['calls'].items(), key=lambda call: -call[1])
            text.append(f"| {row['point']['requests_per_connection']} | {row['server']} | {sum(row['calls'].values()):.2f} | "
                        + ', '.join(f'{name} {number:.2f}' for name, number in calls) + ' |')
    text += ['', 'The last request says "Connection: close"; its latency, where it is the first, begins before connect.',
             *cpu.footer(results, lines)]
    return text


def chart(results, draw, title, lines):
    found = cpu.summary(results['results'], results['baseline'])
    groups = {}
    for line in found.values():
        number = line['point']['requests_per_connection']
        calls = next((sum(row['calls'].values()) for row in results['calls']
                      if row['server'] == line['server'] and row['point'] == line['point']), None)
        shown = f"{line['cpu_us'] * number:.1f} us" + (f', {calls:.1f} system calls' if calls else '')
        groups.setdefault(f"{number} request{'s' if number > 1 else ''} a connection", []).append((line['server'], line['cpu_us'] * number, shown))
    rows = sum(len(group) for group in groups.values())
    page = draw.Page(title, [*lines, 'us of server CPU per connection'], 760, 110 + 20 * (rows + len(groups)) + 6 * len(groups))
    draw.bars(page, (150, 95, 420, 20), list(groups.items()))
    return page
