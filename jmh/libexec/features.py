"""bench features: what features of the API cost a request, each beside a server that has none, in paired rounds."""
import gzip
import http.client
import math
import os
import statistics
import time

import cpu
import servers
from host import Failure

# As a client would send it: the combined format of the access log has it in every line.
AGENT = 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
REQUESTS = {
    'plaintext': ('/plaintext', [AGENT]),
    'json': ('/json', [AGENT]),
    'greeting': ('/greeting?lang=de&name=J%C3%BCrgen', [AGENT, 'Cookie: session=0123456789abcdef; theme=dark']),
    'items': ('/items', [AGENT, 'Accept-Encoding: gzip, deflate, br']),
}
COMMON = ('plaintext', 'json')
NONE, AGAIN = 'none', 'none again'
# What the server has, the requests that it is measured by, and what is said of it.
FEATURES = {
    NONE: (['none'], tuple(REQUESTS), 'a router, and nothing else'),
    AGAIN: (['none'], COMMON, 'the same in another JVM: it shows what this machine cannot tell apart'),
    'fields': (['fields'], COMMON, 'two constant fields of all responses'),
    'filter': (['filter'], COMMON, 'a filter that adds a constant field'),
    'completion': (['completion'], COMMON, 'a listener that counts completed requests'),
    'log': (['log'], COMMON, 'an access log in the combined format (to /dev/null without --log)'),
    'all': (['fields', 'filter', 'log'], COMMON, 'fields, filter and log together'),
    'cookie': (['cookie'], ('greeting',), 'a cookie and a decoded parameter of the query, read'),
    'gzip': (['gzip'], ('items',), 'compression of a composed response, anew for each request'),
}
SAID_OF = {
    'plaintext': 'a prepared response of 13 bytes',
    'json': 'a composed one of 27 bytes',
    'greeting': 'one with a cookie and a query',
    'items': 'JSON of 2 KiB',
}
FIELDS = {'fields': ('Strict-Transport-Security', 'X-Content-Type-Options'), 'filter': ('Access-Control-Allow-Origin',)}
COMPARED = (('ratio', 3), ('ratio_mean', 3), ('more_ns', 0))  # With so many digits.
CHECKS_MAX = 20
TRIMMED = 0.2  # Of the rounds, at either end.


def options(parser):
    parser.add_argument(
        '--features',
        default=','.join(name for name in FEATURES if name != NONE),
        metavar='FEATURE,...',
        help='beside none (default: %(default)s)',
    )
    parser.add_argument('--depths', default='1,16', help='pipeline depths (default: %(default)s)')
    parser.add_argument('--connections', type=int, default=64)
    parser.add_argument(
        '--log',
        metavar='DIRECTORY',
        help='of the access logs, which are emptied before each run: 100 MB and more (default: /dev/null)',
    )


def run(options):
    if options.server:
        raise Failure('--server: features are compared with Bareloop without them alone')
    names = [NONE, *(name for name in options.features.split(',') if name and name != NONE)]
    for name in names:
        if name not in FEATURES:
            raise Failure(f'--features {name}: there are {",".join(FEATURES)}')
    if options.log and not os.path.isdir(options.log):
        raise Failure(f'--log {options.log}: no such directory')
    points = points_of(options, names)
    made = [
        servers.Featured(
            name, FEATURES[name][0], options.server_cpus, options.scratch, options, access_log(options, name)
        )
        for name in names
    ]
    with cpu.servers_of(options, (made, [])) as (peers, _):
        loads = checked(options, peers)
        for peer in peers:
            cpu.warm_up(options, peer, [load_of(loads, peer, point) for point in points if takes(peer, point)])
        results = [
            measured(options, peer, number + 1, point, load_of(loads, peer, point))
            for number in range(options.rounds)
            for point in points
            for peer in in_turn(peers, point, number)
        ]
    return {'results': results, 'left_out': [], 'baseline': NONE}


def points_of(options, names):
    """The requests that one of these is compared in, at each depth."""
    used = [request for request in REQUESTS if any(request in FEATURES[name][1] for name in names if name != NONE)]
    return [
        {'request': request, 'depth': int(depth)} for request in used or COMMON for depth in options.depths.split(',')
    ]


def access_log(options, name):
    return os.path.join(options.log, f'access-{name}.log') if options.log else os.devnull


def takes(peer, point):
    return point['request'] in FEATURES[peer.label][1]


def in_turn(peers, point, number):
    """Another of them begins each round, so that none is always the first."""
    found = [peer for peer in peers if takes(peer, point)]
    first = number % len(found)
    return found[first:] + found[:first]


def load_of(loads, peer, point):
    return {**loads[peer.label, point['request']], 'depth': point['depth']}


def measured(options, peer, number, point, wanted):
    """A line that is dropped costs less than one that is written: so they are counted."""
    if 'log' not in FEATURES[peer.label][0]:
        return cpu.measured(options, peer, number, point, wanted)
    if options.log:
        os.truncate(peer.access_log, 0)
    before = dropped(peer)
    row = cpu.measured(options, peer, number, point, wanted)
    lines = row['rate'] * (options.settle + options.seconds)
    return {**row, 'lines': round(lines), 'lines_dropped': dropped(peer) - before}


def dropped(peer):
    peer.thaw()
    _, count = asked(peer, '/dropped', [])
    peer.freeze()
    return int(count)


def checked(options, peers):
    """
    The load by (server, request). A server without the feature that it is named after would be measured as well:
    so what each says is looked at before, and its bodies, decompressed, have to be those of the first.
    """
    loads, plain = {}, {}
    for peer in peers:
        peer.thaw()
        for request in FEATURES[peer.label][1]:
            target, fields = REQUESTS[request]
            response, body = asked(peer, target, fields)
            check_fields(peer, response)
            if uncoded(peer, response, body) != plain.setdefault(request, body):
                raise Failure(f'{peer.label}: {target}: another body than that of {NONE}')
            loads[peer.label, request] = {
                'target': target,
                'fields': '\n'.join(fields),
                'body_bytes': len(body),
                'connections': options.connections,
            }
        check_completions(peer)
        check_log(options, peer)
        peer.freeze()
    return loads


def asked(peer, target, fields):
    connection = http.client.HTTPConnection('127.0.0.1', peer.port, timeout=10)
    try:
        connection.request('GET', target, headers=dict(field.split(': ', 1) for field in fields))
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as e:
        raise Failure(f'{peer.label}: {target}: {e}') from e
    finally:
        connection.close()
    if response.status != 200:
        raise Failure(f'{peer.label}: {target}: status {response.status}')
    return response, body


def check_fields(peer, response):
    for feature, names in FIELDS.items():
        for name in names:
            if (name in response.headers) != (feature in FEATURES[peer.label][0]):
                raise Failure(f'{peer.label}: {name} is {response.headers[name]}')


def check_completions(peer):
    """That the requests before have been counted; another loop may tell of that a moment later."""
    if 'completion' not in FEATURES[peer.label][0]:
        return
    made = len(FEATURES[peer.label][1])
    for _ in range(CHECKS_MAX):
        _, count = asked(peer, '/completed', [])
        if int(count) >= made:
            return
        made += 1
        time.sleep(0.05)
    raise Failure(f'{peer.label}: {int(count)} requests of {made} are completed')


def check_log(options, peer):
    if 'log' not in FEATURES[peer.label][0] or not options.log:
        return
    for _ in range(CHECKS_MAX):
        if os.path.getsize(peer.access_log) > 0:
            return
        time.sleep(0.05)
    raise Failure(f'{peer.label}: nothing is written to {peer.access_log}')


def uncoded(peer, response, body):
    coding = response.headers['Content-Encoding']
    if coding != ('gzip' if 'gzip' in FEATURES[peer.label][0] else None):
        raise Failure(f'{peer.label}: Content-Encoding is {coding}')
    return gzip.decompress(body) if coding else body


def trimmed(values):
    """The mean without the least and the greatest fifth, and its standard error (Yuen 1974); None of too few."""
    ordered = sorted(values)
    cut = int(TRIMMED * len(ordered))
    kept = ordered[cut : len(ordered) - cut]
    mean = statistics.fmean(kept)
    if len(kept) < 2:
        return mean, None
    # What was cut counts as the last that was not: the winsorized values.
    rest = [kept[0]] * cut + kept + [kept[-1]] * cut
    center = statistics.fmean(rest)
    squares = math.fsum((value - center) ** 2 for value in rest)
    return mean, math.sqrt(squares / (len(kept) * (len(kept) - 1)))


def summary(results):
    """The lines of cpu.summary, with trimmed means of the ratio and of the difference, paired within each round."""
    lines = cpu.summary(results['results'], results['baseline'])
    rows = {(row['round'], str(row['point']), row['server']): row for row in results['results']}
    for (point, server), line in lines.items():
        pairs = [
            (row['cpu_us'], rows[number, point, results['baseline']]['cpu_us'])
            for (number, where, name), row in rows.items()
            if (where, name) == (point, server) and (number, point, results['baseline']) in rows
        ]
        if pairs:
            line['ratio_mean'], line['ratio_mean_error'] = trimmed([own / base for own, base in pairs])
            line['more_ns'], line['more_ns_error'] = trimmed([(own - base) * 1000 for own, base in pairs])
    return list(lines.values())


def with_error(line, name, digits):
    if line.get(name) is None:
        return '-'
    error = line.get(f'{name}_error')
    return f'{line[name]:.{digits}f}' + (f' ± {error:.{digits}f}' if error is not None else '')


def table(results):
    lines = summary(results)
    text = [
        f"CPU of the server process per request, beside a server with none of the features; {rounds(lines)}. Ratios "
        'and differences are paired within a round: the median, and the mean without the least and the greatest '
        'fifth, ± its standard error.',
        '',
        '| request | pipeline depth | with | CPU us/request | of it user | ratio: median | trimmed mean | ns more | '
        'requests/s | p99 us |',
        '| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ]
    for line in lines:
        point, none = line['point'], line['server'] == results['baseline']
        compared = ['1', '', ''] if none else [with_error(line, name, digits) for name, digits in COMPARED]
        cells = [
            point['request'],
            str(point['depth']),
            line['server'],
            f"{line['cpu_us']:.3f}",
            f"{line['user_us']:.3f}",
            *compared,
            f"{line['rate']:.0f}",
            f"{line['p99_us']:.0f}",
        ]
        text.append('| ' + ' | '.join(cells) + ' |')
    return [*text, '', *explained(lines), *losses(results), *cpu.footer(results, lines)]


def losses(results):
    found = {}
    for row in results['results']:
        if row.get('lines_dropped'):
            place = f"{row['server']}, {row['point']['request']}, depth {row['point']['depth']}"
            lost, lines = found.get(place, (0, 0))
            found[place] = lost + row['lines_dropped'], lines + row['lines']
    if not found:
        return []
    shares = (f'{place}: {lost / lines * 100:.1f} %' for place, (lost, lines) in found.items())
    return ['Lines of the access log that were dropped, of those of rounds that lost any: ' + '; '.join(shares) + '.']


def rounds(lines):
    number = max(line['rounds'] for line in lines)
    return f"{number} round{'s' if number > 1 else ''}"


def explained(lines):
    requests = {line['point']['request'] for line in lines}
    shown = {line['server'] for line in lines}
    said = [f'{name}, {what}' for name, what in SAID_OF.items() if name in requests]
    meant = [f'{name}, {what}' for name, (_, _, what) in FEATURES.items() if name in shown]
    return [
        'Requests: ' + '; '.join(said) + '.',
        'Features: ' + '; '.join(meant) + '.',
        'At a depth above 1 latency is that of a batch.',
    ]


def chart(results, draw, title, lines):
    groups = {}
    for line in summary(results):
        point = line['point']
        shown = f"{line['cpu_us']:.2f} us"
        if line['server'] != results['baseline']:
            shown += f", {with_error(line, 'ratio_mean', 3)}"
        group = f"{point['request']}, pipeline depth {point['depth']}"
        groups.setdefault(group, []).append((line['server'], line['cpu_us'], shown))
    rows = sum(len(group) for group in groups.values())
    what = f"us of CPU per request, ratio to {results['baseline']} ± standard error; each group to its own scale"
    page = draw.Page(title, [*lines, what], 760, 110 + 20 * (rows + len(groups)) + 6 * len(groups))
    draw.bars(page, (150, 95, 440, 20), list(groups.items()), accent=results['baseline'])
    return page
