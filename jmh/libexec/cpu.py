"""bench cpu: CPU per request of servers side by side, in paired rounds."""
import statistics

import host
import load
import servers

PLAINTEXT = {'target': '/plaintext', 'body_bytes': 13, 'body': 'Hello, World!'}


def options(parser):
    parser.add_argument('--depths', default='1,16', help='pipeline depths (default: %(default)s)')
    parser.add_argument('--connections', type=int, default=64)
    parser.add_argument('--servers', default='floor,bareloop,nginx,netty,helidon', help='the first is the baseline (default: %(default)s)')


def run(options):
    depths = [int(depth) for depth in options.depths.split(',')]
    with servers_of(options) as (peers, left_out):
        rounds = rounds_of(options, peers, [{'depth': depth} for depth in depths],
                           lambda point: {**PLAINTEXT, 'connections': options.connections, **point})
    return {'results': rounds, 'left_out': left_out, 'baseline': peers[0].label}


class servers_of:
    """The peers, started and warm; stopped whatever happens."""

    def __init__(self, options, made=None):
        self.options, self.made = options, made

    def __enter__(self):
        options = self.options
        peers, left_out = self.made or servers.peers(
            [name for name in options.servers.split(',') if name], options.server_cpus, options.scratch, options)
        self.peers = peers
        try:
            for peer in peers:
                peer.nice = options.nice
                peer.start()
                peer.freeze()
        except BaseException:
            self.__exit__()
            raise
        return peers, left_out

    def __exit__(self, *_):
        for peer in self.peers:
            peer.stop()


def rounds_of(options, peers, points, load_of):
    """Each server once at each point, in turn, round after round; a list of what was measured."""
    results = []
    # Half of the warm-up is of the last point, pipelined or large: another path through the server.
    ends = [points[0], points[-1]] if len(points) > 1 else points
    for peer in peers:
        warm_up(options, peer, [load_of(point) for point in ends])
    for number in range(options.rounds):
        for point in points:
            for peer in peers:
                results.append(measured(options, peer, number + 1, point, load_of(point)))
    return results


def warm_up(options, peer, loads):
    """All of them have their share of the time."""
    if options.quick and not peer.jvm:
        return
    peer.thaw()
    for wanted in loads:
        host.say(f'warm-up {peer.label}')
        load.generate(options, peer, [], options.settle, peer.warm_seconds / len(loads), **wanted)
    peer.freeze()


def measured(options, peer, number, point, wanted):
    """One run: a row of the results."""
    peer.thaw()
    result = load.generate(options, peer, peer.pids(), options.settle, options.seconds, **wanted)
    peer.freeze()
    where = ' '.join(f'{name} {value}' for name, value in point.items())
    host.say(f"round {number} {where} {peer.label}: {result['cpu_us']:.3f} us CPU, {result['rate']:.0f} a second, "
             f"p99 {result['latency']['p99_us']:.0f} us" + noise(result))
    return {'round': number, 'server': peer.label, 'point': point, **load.slim(result)}


def noise(result):
    return f", other processes {result['foreign'] * 100:.0f} % of a CPU" if result['foreign'] > 0.05 else ''


def summary(results, baseline, key='cpu_us'):
    """By (point, server): medians over the rounds, and ratios to the baseline paired within each round."""
    by_round = {(row['round'], str(row['point']), row['server']): row for row in results}
    found = {}
    for row in results:
        found.setdefault((str(row['point']), row['server']), []).append(row)
    lines = {}
    for (point, server), rows in found.items():
        ratios, rates = [], []
        for row in rows:
            base = by_round.get((row['round'], point, baseline))
            if base:
                ratios.append(row[key] / base[key])
                rates.append(row['rate'] / base['rate'])
        lines[point, server] = {
            'point': rows[0]['point'], 'server': server, 'rounds': len(rows),
            'cpu_us': statistics.median(row[key] for row in rows),
            'user_us': statistics.median(row[key] * (row['user_share'] or 0) for row in rows),
            'rate': statistics.median(row['rate'] for row in rows),
            'p50_us': statistics.median(row['latency']['p50_us'] for row in rows),
            'p99_us': statistics.median(row['latency']['p99_us'] for row in rows),
            'rss_mb': statistics.median(row['rss_kb'] for row in rows) / 1024,
            'ratio': statistics.median(ratios) if ratios else None,
            'ratio_least': min(ratios) if ratios else None,
            'ratio_greatest': max(ratios) if ratios else None,
            'rate_ratio': statistics.median(rates) if rates else None,
            'foreign': max(row['foreign'] for row in rows),
        }
    return lines


def ratio_text(line):
    if line['ratio'] is None:
        return '-'
    return f"{line['ratio']:.2f} ({line['ratio_least']:.2f} to {line['ratio_greatest']:.2f})"


def footer(results, lines):
    text = list(results.get('left_out', []))
    noisy = [f"{line['server']} {line['foreign'] * 100:.0f} %" for line in lines if line['foreign'] > 0.05]
    if noisy:
        text.append('other processes took more than 5 % of a CPU, measure again: ' + ', '.join(noisy))
    return text


def table(results):
    lines = list(summary(results['results'], results['baseline']).values())
    text = [f"CPU of the server process per request; ratios to {results['baseline']}, paired: median (least to greatest)", '',
            '| pipeline depth | server | CPU us/request | of it user | ratio | requests/s | ratio | p99 us | RSS MB |',
            '| ---: | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |']
    for line in lines:
        text.append(f"| {line['point']['depth']} | {line['server']} | {line['cpu_us']:.2f} | {line['user_us']:.2f} | {ratio_text(line)} | "
                    f"{line['rate']:.0f} | {line['rate_ratio'] or 0:.2f} | {line['p99_us']:.0f} | {line['rss_mb']:.0f} |")
    text += ['', 'At a depth above 1 latency is that of a batch.', *footer(results, lines)]
    return text


def chart(results, draw, title, lines):
    return bars(results, draw, title, lines, 'request', lambda point: f"pipeline depth {point['depth']}")


def bars(results, draw, title, lines, unit, group_of):
    """A bar for each server, in a group for each point."""
    groups = {}
    for line in summary(results['results'], results['baseline']).values():
        shown = f"{line['cpu_us']:.2f} us, {line['ratio'] or 0:.2f}"
        groups.setdefault(group_of(line['point']), []).append((line['server'], line['cpu_us'], shown))
    rows = sum(len(group) for group in groups.values())
    page = draw.Page(title, [*lines, f"us of CPU per {unit}, and the ratio to {results['baseline']}; each group to its own scale"], 760,
                     110 + 20 * (rows + len(groups)) + 6 * len(groups))
    draw.bars(page, (150, 95, 460, 20), list(groups.items()), accent='bareloop')
    return page


def picture(document, draw, where):
    """The one of the README: how much of a CPU each server takes for a request."""
    names = {'floor': 'C loop without a parser', 'bareloop': 'Bareloop', 'nginx': 'nginx', 'netty': 'Netty, epoll', 'helidon': 'Helidon'}
    groups = {}
    for line in summary(document['results'], document['baseline']).values():
        depth = line['point']['depth']
        group = 'one request at a time on each connection' if depth == 1 else f'{depth} requests in one go (pipelined)'
        groups.setdefault(group, []).append((names.get(line['server'], line['server']), line['cpu_us'], f"{line['cpu_us']:.2f} us"))
    rows = sum(len(group) for group in groups.values())
    page = draw.Page('CPU time of the server for one request: less is better', [where], 760, 80 + 20 * (rows + len(groups)) + 6 * len(groups))
    draw.bars(page, (170, 65, 480, 20), [(group, sorted(bars, key=lambda bar: bar[1])) for group, bars in groups.items()], accent='Bareloop')
    return page
