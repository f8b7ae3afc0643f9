"""bench files: CPU per request of files of several sizes, beside nginx, in paired rounds."""
import http.client
import os

import cpu
import servers
from host import Failure

LARGE_BYTES = 1 << 20


def options(parser):
    parser.add_argument('--sizes', default='6144,102400,10485760', help='bytes of the files (default: %(default)s)')
    parser.add_argument('--connections', type=int, default=64, help='default: %(default)s')
    parser.add_argument('--large-connections', default='4,16', metavar='N,...',
                        help='in their place, for files of a mebibyte and more (default: %(default)s)')
    parser.add_argument('--servers', default='nginx,bareloop', help='the first is the baseline (default: %(default)s)')


def run(options):
    sizes = [int(size) for size in options.sizes.split(',')]
    root = os.path.join(options.scratch, 'root')
    os.mkdir(root)
    for size in sizes:
        with open(os.path.join(root, name_of(size)), 'wb') as file:
            file.write(os.urandom(size))
    points = [{'size': size, 'connections': number} for size in sizes for number in connections_of(options, size)]
    made = servers.peers([name for name in options.servers.split(',') if name], options.server_cpus, options.scratch, options, root)
    with cpu.servers_of(options, made) as (peers, left_out):
        for peer in peers:
            peer.thaw()
            for size in sizes:
                compare(peer, os.path.join(root, name_of(size)))
            peer.freeze()
        rounds = cpu.rounds_of(options, peers, points, load_of)
    return {'results': rounds, 'left_out': left_out, 'baseline': peers[0].label}


def connections_of(options, size):
    if size < LARGE_BYTES:
        return [options.connections]
    return [int(number) for number in options.large_connections.split(',')]


def name_of(size):
    return f'file-{size}.bin'


def load_of(point):
    return {'target': '/' + name_of(point['size']), 'body_bytes': point['size'], 'connections': point['connections']}


def compare(peer, path):
    """The generator compares each response with the first; so the first is compared with the file."""
    connection = http.client.HTTPConnection('127.0.0.1', peer.port, timeout=10)
    try:
        connection.request('GET', '/' + os.path.basename(path))
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as e:
        raise Failure(f'{peer.label}: {os.path.basename(path)}: {e}') from e
    finally:
        connection.close()
    with open(path, 'rb') as file:
        if response.status != 200 or body != file.read():
            raise Failure(f'{peer.label}: status {response.status}, or another body than {os.path.basename(path)} has')


def table(results):
    lines = list(cpu.summary(results['results'], results['baseline']).values())
    text = [f"CPU of the server process per response; ratios to {results['baseline']}, paired: median (least to greatest)", '',
            '| bytes | connections | server | CPU us/response | of it user | ratio | responses/s | ratio | p99 us | RSS MB |',
            '| ---: | ---: | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |']
    for line in lines:
        text.append(f"| {line['point']['size']} | {line['point']['connections']} | {line['server']} | {line['cpu_us']:.2f} | "
                    f"{line['user_us']:.2f} | {cpu.ratio_text(line)} | {line['rate']:.0f} | {line['rate_ratio'] or 0:.2f} | "
                    f"{line['p99_us']:.0f} | {line['rss_mb']:.0f} |")
    text += ['', 'A response that was under way when the time was up counts by its bytes.', *cpu.footer(results, lines)]
    return text


def chart(results, draw, title, lines):
    return cpu.bars(results, draw, title, lines, 'response',
                    lambda point: f"{point['size']} bytes, {point['connections']} connections")
