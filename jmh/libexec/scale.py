"""bench scale: what a request costs as the work grows, in five directions."""
import resource

import cpu
import host
import load
import servers
from host import Failure

DIRECTIONS = {
    'connections': ('connections', [1, 4, 16, 64, 256, 1000, 4000, 10000]),
    'depth': ('pipeline depth', [1, 2, 4, 8, 16, 32, 64]),
    'response': ('bytes of response body', [13, 128, 1024, 4096, 16384, 65536, 262144, 1048576]),
    'request': ('bytes of request', [40, 128, 512, 1024, 2048, 4096, 8192]),
    'loops': ('loops', []),
}
# A response of a megabyte at 64 connections would measure how much memory is moved at a time.
LARGE_BODY = 65536
LARGE_CONNECTIONS = 8


def options(parser):
    parser.add_argument('--only', metavar='DIRECTION,...', default=','.join(DIRECTIONS), help='of %(default)s')
    parser.add_argument('--connections', type=int, default=64, help='in the other directions (default: %(default)s)')
    parser.add_argument('--servers', default='bareloop,floor', help='default: %(default)s')
    parser.add_argument('--points', help='instead of the direction\'s own, such as 1,64,1000 (with one direction)')


def run(options):
    directions = options.only.split(',')
    for direction in directions:
        if direction not in DIRECTIONS:
            raise Failure(f'--only {direction}: there are {", ".join(DIRECTIONS)}')
    results, left_out = [], []
    for direction in directions:
        points = [int(point) for point in options.points.split(',')] if options.points else points_of(direction, options, left_out)
        if direction == 'loops':
            results += loops(options, points)
            continue
        made = peers(options, left_out)
        with cpu.servers_of(options, (made, left_out)) as (started, _):
            rows = cpu.rounds_of(options, started, [{direction: point} for point in points], lambda point: load_of(options, **point))
        results += [{**row, 'direction': direction, 'x': row['point'][direction]} for row in rows]
    return {'results': results, 'left_out': sorted(set(left_out)), 'baseline': 'floor'}


def points_of(direction, options, left_out):
    points = DIRECTIONS[direction][1]
    if direction == 'connections':
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if files != resource.RLIM_INFINITY and files < max(points) + 200:
            points = [point for point in points if point + 200 <= files]
            left_out.append(f'no more than {points[-1]} connections: the limit of open files (ulimit -Hn) is {files}')
    if direction == 'loops':
        points = [2 ** power for power in range(8) if 2 ** power <= len(options.all_cpus)]
    if options.quick:
        points = points[:1] + points[-1:]
    return points


def peers(options, left_out):
    made = []
    for name in options.servers.split(','):
        if name == 'bareloop':
            made.append(servers.Sized(options.server_cpus, options.scratch, options))
        else:
            found, missing = servers.peers([name], options.server_cpus, options.scratch, argparse_without_others(options))
            made += found
            left_out += missing
    return made


def argparse_without_others(options):
    copy = type(options)(**vars(options))
    copy.server = []
    return copy


def load_of(options, connections=None, depth=1, response=13, request=0):
    many = LARGE_CONNECTIONS if response >= LARGE_BODY else options.connections
    wanted = {'target': f'/bytes/{response}', 'body_bytes': response, 'connections': connections or many, 'depth': depth}
    if request:
        wanted.update(request_bytes=request, host_field='a')
    return wanted


def loops(options, points):
    """Server and client share CPUs where there are not enough for both."""
    results = []
    for point in points:
        cpus = options.all_cpus[:point]
        own = type(options)(**vars(options))
        own.server_cpus = cpus
        rest = [number for number in options.all_cpus if number not in cpus]
        own.client_cpus = rest or options.all_cpus[-1:]
        with cpu.servers_of(own, ([servers.Sized(cpus, options.scratch, own)], [])) as (started, _):
            rows = cpu.rounds_of(own, started, [{'loops': point}], lambda _: load_of(own))
        results += [{**row, 'direction': 'loops', 'x': point, 'shared': not rest} for row in rows]
    return results


def summaries(results):
    found = {}
    for direction in DIRECTIONS:
        rows = [row for row in results['results'] if row['direction'] == direction]
        if rows:
            found[direction] = list(cpu.summary(rows, 'floor').values())
    return found


def table(results):
    text = ['CPU of the server process per request; the ratio is to the floor in the same round', '']
    every = []
    for direction, lines in summaries(results).items():
        every += lines
        heading = DIRECTIONS[direction][0]
        text += [f'| {heading} | server | CPU us/request | of it user | ratio | requests/s | p50 us | p99 us | RSS MB |',
                 '| ---: | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |']
        for line in sorted(lines, key=lambda line: (line['point'][direction], line['server'] == 'floor')):
            text.append(f"| {line['point'][direction]} | {line['server']} | {line['cpu_us']:.2f} | {line['user_us']:.2f} | "
                        f"{ratio(line)} | {line['rate']:.0f} | {line['p50_us']:.0f} | {line['p99_us']:.0f} | {line['rss_mb']:.0f} |")
        text.append('')
    if any(row.get('shared') for row in results['results']):
        text.append('loops: client and server share CPUs at the greatest number')
    text.append(f'Responses of {LARGE_BODY} bytes and more: {LARGE_CONNECTIONS} connections. At a depth above 1 latency is that of a batch.')
    return text + cpu.footer(results, every)


def ratio(line):
    return '-' if line['ratio'] is None else f"{line['ratio']:.2f}"


def chart(results, draw, title, lines):
    found = summaries(results)
    page = draw.Page(title, [*lines, 'left: us of server CPU per request; right: 99th percentile of latency, us (logarithmic)'],
                     980, 130 + 230 * len(found))
    labels = sorted({line['server'] for every in found.values() for line in every})
    draw.legend(page, 16, 92, labels)
    for number, (direction, every) in enumerate(found.items()):
        top = 135 + 230 * number
        for column, (key, log) in enumerate((('cpu_us', direction == 'response'), ('p99_us', True))):
            series = [(label, [(line['point'][direction], line[key], f"{label}, {line['point'][direction]}: {line[key]:.2f} us")
                               for line in sorted(every, key=lambda line: line['point'][direction]) if line['server'] == label])
                      for label in labels]
            what = f"{'CPU' if key == 'cpu_us' else 'p99'} by {DIRECTIONS[direction][0]}" + (' (logarithmic)' if log else '')
            draw.panel(page, (70 + 480 * column, top, 400, 160), what, series, log_y=log)
    return page
