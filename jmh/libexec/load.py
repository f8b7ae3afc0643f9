"""Runs the load generator, io.bareloop.load.Load, and reads what it says."""
import json
import subprocess

import host
from host import Failure

GRACE_SECONDS = 40


def generate(options, server, watch, warmup, seconds, **load):
    """One run against a server; with several client CPUs, a generator on each, and their sum."""
    clients = options.client_cpus[:max(1, min(len(options.client_cpus), load.get('connections', 64)))]
    if load.get('rate') or load.get('connections_total'):
        clients = clients[:1]
    processes = []
    try:
        for index, cpu in enumerate(clients):
            mine = dict(load)
            if 'connections' in mine:
                mine['connections'] = mine['connections'] // len(clients) + (index < mine['connections'] % len(clients))
            processes.append(start(options, server, cpu, watch, warmup, seconds, mine))
        results = [collect(server, process, warmup + seconds) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
    if not load.get('requests_per_connection'):
        for result in results:
            count_by_bytes(result)
    return merged(results)


def count_by_bytes(result):
    """What is under way at either end counts by its bytes: of large responses that is much of all the work."""
    result['rate'] = result['received_bytes'] / result['response_bytes'] / result['seconds']


def start(options, server, cpu, watch, warmup, seconds, load):
    command = [*host.on_cpus([cpu], options.nice), options.java_file, '-XX:+UseSerialGC', '-Xms64m', '-Xmx256m',
               '--enable-native-access=ALL-UNNAMED', '-cp', host.class_path(), 'io.bareloop.load.Load',
               '--port', str(server.port), '--warmup', str(warmup), '--seconds', str(seconds), '--cpu', str(cpu)]
    if watch:
        command += ['--watch', ','.join(str(pid) for pid in watch)]
    for name, value in load.items():
        command += ['--' + name.replace('_', '-'), str(value)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def collect(server, process, seconds):
    try:
        out, err = process.communicate(timeout=seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired as e:
        process.kill()
        process.communicate()
        raise Failure(f'{server.label}: the load generator did not end') from e
    if process.returncode != 0:
        raise Failure(f'{server.label}: {err.strip()[-800:] or process.returncode}')
    return json.loads(out)


def merged(results):
    """Rates add up; of latencies the worst counts; the server was watched by the first."""
    first = results[0]
    rate = sum(result['rate'] for result in results)
    own = sum(result['generator']['run_ns'] / 1e9 / result['seconds'] for result in results)
    server = cpu_seconds(first['server']) / first['seconds']
    busy = first['machine_busy_ticks'] / 100 / first['seconds']
    first['rate'] = rate
    first['cpu_us'] = server / rate * 1e6 if rate else None
    ticks = first['server']['user_ticks'] + first['server']['system_ticks']
    first['user_share'] = first['server']['user_ticks'] / ticks if ticks else None
    first['server_busy'] = server
    first['generator_busy'] = own / len(results)
    first['foreign'] = max(0.0, busy - server - own)
    first['generators'] = len(results)
    for other in results[1:]:
        for name, value in other['latency'].items():
            first['latency'][name] = max(first['latency'][name], value)
        for name in ('requests', 'connections_ended', 'connections'):
            first[name] += other[name]
    return first


def cpu_seconds(times):
    """By the scheduler's clock; in ticks where the kernel has none."""
    if times['run_ns'] > 0:
        return times['run_ns'] / 1e9
    return (times['user_ticks'] + times['system_ticks']) / 100


def slim(result):
    """What is kept in the results of every run."""
    kept = {name: result[name] for name in (
        'requests', 'seconds', 'rate', 'cpu_us', 'user_share', 'server_busy', 'generator_busy', 'foreign', 'connections',
        'connections_ended', 'depth', 'request_bytes', 'response_bytes', 'received_bytes', 'least_per_connection',
        'most_per_connection', 'generator_allocated_bytes', 'machine_steal_ticks')}
    kept['latency'] = result['latency']
    kept['rss_kb'] = result['server']['rss_kb']
    return kept
