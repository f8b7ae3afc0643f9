"""bench latency: an open loop at shares of the capacity, and whether the JVM is to blame for what was slow."""
import datetime
import json
import os
import re
import statistics
import subprocess
import time

import cpu
import host
import load
import servers
from host import Failure

PERCENTILES = ('p50_us', 'p90_us', 'p99_us', 'p99.9_us', 'p99.99_us', 'max_us')
# What a flight recorder knows that can hold a request up.
JFR_EVENTS = ('jdk.GarbageCollection', 'jdk.GCPhasePause', 'jdk.SafepointBegin', 'jdk.ExecuteVMOperation', 'jdk.Compilation',
              'jdk.Deoptimization', 'jdk.ThreadPark', 'jdk.JavaMonitorEnter', 'jdk.ThreadSleep', 'jdk.ObjectAllocationSample')
JVM_THREADS = re.compile(r'^(C[12] Compiler|G1 |GC Thread|VM Thread|VM Periodic|Sweeper|Signal Disp|Service Thr|Monitor Defl|JFR|Common-Clean|'
                         r'Attach|Reference|Finalizer|Notification|ZGC|Shenandoah|XDriver|ZDriver)')


def options(parser):
    parser.add_argument('--shares', default='0.5,0.8', help='of the capacity (default: %(default)s)')
    parser.add_argument('--rate', type=float, help='requests a second that count as the capacity (default: measured, closed loop)')
    parser.add_argument('--connections', type=int, default=64)
    parser.add_argument('--arrivals', choices=['poisson', 'uniform'], default='poisson')
    parser.add_argument('--servers', default='bareloop', help='of bareloop, floor, nginx (default: %(default)s)')
    parser.add_argument('--no-jfr', action='store_true', help='leave out the runs with a flight recording')


def run(options):
    results = {'results': [], 'capacity': {}, 'jfr': None, 'left_out': [], 'arrivals': options.arrivals}
    shares = [float(share) for share in options.shares.split(',')]
    log = os.path.join(options.scratch, 'jvm.log')
    made = []
    for name in options.servers.split(','):
        if name == 'bareloop':
            logged = [f'-Xlog:safepoint*=info,gc*=info:file={log}:timenanos,tags:filecount=0']
            made.append(servers.Bareloop(options.server_cpus, options.scratch, options, jvm_options=logged))
        else:
            found, missing = servers.peers([name], options.server_cpus, options.scratch, options)
            made += found
            results['left_out'] += missing
    wanted = {**cpu.PLAINTEXT, 'connections': options.connections}
    with cpu.servers_of(options, (made, [])):
        for server in made:
            server.thaw()
            host.say(f'warm-up {server.label}')
            load.generate(options, server, [], options.settle, server.warm_seconds, **wanted)
            capacity = options.rate or capacity_of(options, server, wanted)
            # And in the way it will be loaded: the code that waits is another than the code that does not.
            load.generate(options, server, [], options.settle, min(options.seconds, 2), rate=0.5 * capacity, **wanted)
            results['capacity'][server.label] = capacity
            server.freeze()
        for number in range(options.rounds):
            for share in shares:
                for server in made:
                    server.thaw()
                    row = at_rate(options, server, results['capacity'][server.label], share, wanted, log if server.jvm else None)
                    server.freeze()
                    results['results'].append({'round': number + 1, 'jfr': False, **row})
    if not options.no_jfr and 'bareloop' in results['capacity']:
        record(options, results, shares, wanted)
    return results


def capacity_of(options, server, wanted):
    rates = []
    for number in range(1 if options.quick else 3):
        result = load.generate(options, server, server.pids(), options.settle, min(options.seconds, 3), **wanted)
        rates.append(result['rate'])
        host.say(f"capacity {server.label}, {number + 1}: {result['rate']:.0f} a second, server {result['server_busy'] * 100:.0f} %, "
                 f"generator {result['generator_busy'] * 100:.0f} % of a CPU")
    return statistics.median(rates)


def at_rate(options, server, capacity, share, wanted, log):
    result = load.generate(options, server, server.pids(), 3 * options.settle, options.seconds, rate=capacity * share, arrivals=options.arrivals, **wanted)
    pauses = [pause for pause in jvm_pauses(log) if pause['to'] > result['start_ns'] and pause['from'] < result['end_ns']] if log else []
    row = {'server': server.label, 'share': share, 'rate': result['rate'], 'intended': capacity * share, 'requests': result['requests'],
           'seconds': result['seconds'], 'latency': result['latency'], 'since_sent': result['latency_since_sent'], 'cpu_us': result['cpu_us'],
           'server_busy': result['server_busy'], 'foreign': result['foreign'], 'steal_ticks': result['machine_steal_ticks'],
           'generator_allocated_bytes': result['generator_allocated_bytes'],
           'threads': threads_of(result), 'pauses': summary_of(pauses), 'blame': blame(result, pauses)}
    latency = row['latency']
    host.say(f"{server.label} at {share * 100:.0f} %: p50 {latency['p50_us']:.0f}, p99 {latency['p99_us']:.0f}, p99.9 {latency['p99.9_us']:.0f}, "
             f"max {latency['max_us']:.0f} us; JVM pauses: {len(pauses)}" + cpu.noise(result))
    return row


def jvm_pauses(log):
    """From the JVM's log: stops of all threads, each with its cause. Both clocks are CLOCK_MONOTONIC."""
    found = []
    for line in host.read(log).splitlines():
        match = re.match(r'^\[(\d+)ns\]\[safepoint\s*\] Safepoint "([^"]+)".*Total:\s+(\d+) ns', line)
        if match:
            end, total = int(match[1]), int(match[3])
            found.append({'from': end - total, 'to': end, 'cause': match[2], 'ns': total})
    return found


def summary_of(pauses):
    causes = {}
    for pause in pauses:
        count, longest = causes.get(pause['cause'], (0, 0))
        causes[pause['cause']] = (count + 1, max(longest, pause['ns']))
    return {'count': len(pauses), 'longest_us': max((pause['ns'] for pause in pauses), default=0) / 1000,
            'causes': {cause: {'count': count, 'longest_us': longest / 1000} for cause, (count, longest) in causes.items()}}


def threads_of(result):
    """CPU and time in the run queue of the server's threads: who ran, and who had to wait for it."""
    groups = {'loops': [0, 0, 0], 'jvm': [0, 0, 0], 'other': [0, 0, 0]}
    named = {}
    for thread in result['server']['threads']:
        name = thread['thread']
        group = 'jvm' if JVM_THREADS.match(name) else 'loops' if thread['run_ns'] > 0.02e9 * result['seconds'] else 'other'
        groups[group][0] += thread['run_ns']
        groups[group][1] += thread['wait_ns']
        named[name] = named.get(name, 0) + thread['run_ns'] / 1e6
    return {'ms': {group: values[0] / 1e6 for group, values in groups.items()}, 'waited_ms': groups['loops'][1] / 1e6,
            'by_name_ms': {name: round(ms, 3) for name, ms in sorted(named.items(), key=lambda item: -item[1])[:12]}}


def blame(result, pauses):
    """Of the slowest requests: how many had a stop of the JVM in their time, or a stall of the generator, or were sent late by it."""
    gaps = [(begin, begin + length) for begin, length, _ in result['generator_gaps'] if length > 100_000]
    counted = {'slowest': len(result['slowest']), 'jvm': 0, 'generator': 0, 'neither': 0, 'longest_neither_us': 0.0, 'longest_jvm_us': 0.0,
               'least_us': min((length for _, length, _ in result['slowest']), default=0) / 1000}
    for begin, length, late in result['slowest']:
        end = begin + length
        if any(pause['to'] > begin and pause['from'] < end and pause['ns'] > length / 10 for pause in pauses):
            counted['jvm'] += 1
            counted['longest_jvm_us'] = max(counted['longest_jvm_us'], length / 1000)
        elif late > length / 2 or sum(max(0, min(end, to) - max(begin, since)) for since, to in gaps) > length / 3:
            counted['generator'] += 1
        else:
            counted['neither'] += 1
            counted['longest_neither_us'] = max(counted['longest_neither_us'], length / 1000)
    return counted


def record(options, results, shares, wanted):
    """Once more, with a flight recording, which costs a little itself: what does it see?"""
    file = os.path.join(options.scratch, 'load.jfr')
    server = servers.Bareloop(options.server_cpus, options.scratch, options, label='bareloop',
                              jvm_options=[f'-XX:StartFlightRecording:filename={file},settings=default'])
    capacity = results['capacity']['bareloop']
    with cpu.servers_of(options, ([server], [])):
        server.thaw()
        host.say('warm-up bareloop, with a flight recording')
        load.generate(options, server, [], options.settle, server.warm_seconds, **wanted)
        load.generate(options, server, [], options.settle, min(options.seconds, 2), rate=0.5 * capacity, **wanted)

        begun = time.time()
        for share in shares:
            results['results'].append({'round': 1, 'jfr': True, **at_rate(options, server, capacity, share, wanted, None)})
        ended = time.time()
        dump(options, server, file)
    jfr = os.path.join(os.path.dirname(os.path.realpath(options.java_file)), 'jfr')
    if not os.path.exists(jfr) or not os.path.exists(file):
        raise Failure(f'no flight recording, or no {jfr} to read it with (Debian package openjdk-25-jdk-headless)')
    results['jfr'] = events_of(jfr, file, begun, ended)


def dump(options, server, file):
    """Now, for the server halts when it ends, and leaves no time to write."""
    jcmd = os.path.join(os.path.dirname(os.path.realpath(options.java_file)), 'jcmd')
    if not os.path.exists(jcmd):
        raise Failure(f'no {jcmd}, to read a flight recording (Debian package openjdk-25-jdk-headless)')
    run = subprocess.run([jcmd, str(server.process.pid), 'JFR.dump', f'filename={file}'], capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        raise Failure(f'jcmd JFR.dump: {(run.stdout + run.stderr)[-500:]}')


def events_of(jfr, file, begun, ended):
    """By kind of event: how many while it was measured, how long in all, and the longest."""
    run = subprocess.run([jfr, 'print', '--json', '--stack-depth', '1', '--events', ','.join(JFR_EVENTS), file],
                         capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        raise Failure(f'jfr print: {run.stderr[-500:]}')
    found = {}
    for event in json.loads(run.stdout)['recording']['events']:
        values = event['values']
        start = epoch(values.get('startTime', ''))
        if not begun <= start <= ended:
            continue
        kind = found.setdefault(event['type'], {'count': 0, 'total_us': 0.0, 'longest_us': 0.0, 'what': {}})
        micros = duration_micros(values.get('duration'))
        kind['count'] += 1
        kind['total_us'] += micros
        kind['longest_us'] = max(kind['longest_us'], micros)
        what = values.get('operation') or values.get('name') or values.get('reason')
        if isinstance(what, str):
            kind['what'][what] = kind['what'].get(what, 0) + 1
    return found


def epoch(text):
    """Seconds since 1970 of 2026-11-21T14:00:00.123456789Z or with an offset."""

    match = re.match(r'^(.*T\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$', text)
    if not match:
        return 0.0
    whole = datetime.datetime.fromisoformat(match[1] + match[3].replace('Z', '+00:00'))
    return whole.timestamp() + float(match[2] or 0)


def duration_micros(text):
    match = re.match(r'^PT(?:(\d+)M)?([\d.]+)S$', text or '')
    return (int(match[1] or 0) * 60 + float(match[2])) * 1e6 if match else 0.0


# --- Report ------------------------------------------------------------------------------------


def table(results):
    text = ['Latency from when a request was due, microseconds: open loop, no coordinated omission; arrivals ' + results['arrivals'], '',
            '| server | load | requests/s | p50 | p90 | p99 | p99.9 | p99.99 | max | since sent: p99 | p99.9 | max | server CPU |',
            '| --- | --- |' + ' ---: |' * 11]
    for row in results['results']:
        label = row['server'] + (', with JFR' if row['jfr'] else '')
        cells = ' | '.join(f"{row['latency'][name]:.0f}" for name in PERCENTILES)
        since = ' | '.join(f"{row['since_sent'][name]:.0f}" for name in ('p99_us', 'p99.9_us', 'max_us'))
        text.append(f"| {label} | {row['share'] * 100:.0f} % | {row['rate']:.0f} | {cells} | {since} | {row['server_busy'] * 100:.0f} % |")
    text += ['', '| server | load | JVM pauses | longest us | slowest requests | with a JVM pause | generator late | neither (longest us) | '
             'loop waited for its CPU, ms | JVM threads, ms of CPU |', '| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: |']
    for row in results['results']:
        guilt = row['blame']
        pauses = row['pauses']
        known = row['server'] == 'bareloop' and not row['jfr']
        text.append(f"| {row['server']}{', with JFR' if row['jfr'] else ''} | {row['share'] * 100:.0f} % | "
                    f"{pauses['count'] if known else '-'} | {format(pauses['longest_us'], '.0f') if known else '-'} | "
                    f"{guilt['slowest']} from {guilt['least_us']:.0f} us | {guilt['jvm'] if known else '-'} | {guilt['generator']} | "
                    f"{guilt['neither']} ({guilt['longest_neither_us']:.0f}) | {row['threads']['waited_ms']:.1f} | {row['threads']['ms']['jvm']:.1f} |")
    text += ['', 'Since sent: what the generator was late with, for want of its CPU or of a free connection, is left out: a queue hides there.']
    for label, capacity in results['capacity'].items():
        text.append(f'capacity of {label}: {capacity:.0f} requests/s (closed loop, or as given)')
    causes = {}
    for row in results['results']:
        for cause, values in row['pauses']['causes'].items():
            count, longest = causes.get(cause, (0, 0))
            causes[cause] = (count + values['count'], max(longest, values['longest_us']))
    if causes:
        text.append('JVM pauses (-Xlog:safepoint,gc), all runs: ' + ', '.join(
            f'{cause} {count} (longest {longest:.0f} us)' for cause, (count, longest) in causes.items()))
    if results['jfr'] is not None:
        shown = []
        for kind, values in sorted(results['jfr'].items()):
            what = ', '.join(f'{name} {count}' for name, count in values['what'].items())
            shown.append(f"{kind.removeprefix('jdk.')} {values['count']} (longest {values['longest_us']:.0f} us{', ' + what if what else ''})")
        text.append('flight recording, while measured: ' + ('; '.join(shown) or 'none of ' + ', '.join(
            name.removeprefix('jdk.') for name in JFR_EVENTS)))
    allocated = max((row['generator_allocated_bytes'] for row in results['results']), default=0)
    text.append(f'the generator allocated at most {allocated} bytes in a run')
    stolen = sum(row['steal_ticks'] for row in results['results'])
    if stolen:
        text.append(f'the hypervisor took {stolen * 10} ms of CPU in all runs together')
    return text + results['left_out'] + cpu.footer({}, [{'server': f"{row['server']} at {row['share'] * 100:.0f} %", 'foreign': row['foreign']}
                                                       for row in results['results']])


def chart(results, draw, title, lines):
    page = draw.Page(title, [*lines, 'us from when a request was due, by percentile (logarithmic)'], 860, 420)
    names = ['50', '90', '99', '99.9', '99.99', 'max']
    series = []
    for row in results['results']:
        if row['round'] == 1:
            label = f"{row['server']} at {row['share'] * 100:.0f} %" + (', JFR' if row['jfr'] else '')
            series.append((label, [(number, row['latency'][name], f"{label}, {names[number]}: {row['latency'][name]:.0f} us")
                                   for number, name in enumerate(PERCENTILES)]))
    draw.legend(page, 16, 95, [label for label, _ in series])
    draw.panel(page, (70, 130, 740, 240), 'latency', series, x_labels=dict(enumerate(names)), log_y=True)
    return page
