"""bench parsers: the JMH benchmarks of the request parser, and of those of others."""
import json
import os
import subprocess

import host
from host import Failure

CALLS = ('emptyCall', 'parserCallWithNothing')
OURS = 'bareloop'
NOTES = {
    'picohttpparser-debian': 'libh2o of Debian: -O2 for any x86_64, no SSE4.2',
    'picohttpparser-native': 'gcc -O3 -march=native',
    'helidon': 'leaves the values of fields unread',
}


def options(parser):
    parser.add_argument('--pico', metavar='DIRECTORY',
                        help='source of picohttpparser (Debian: deps/picohttpparser of "apt-get source h2o"), to be built with -O3 -march=native')
    parser.add_argument('--only', metavar='NAME,...', help='these parsers alone')
    parser.add_argument('--fields', help='fields repeated, or new with each request (default: same,new; with --quick new)')
    parser.add_argument('--forks', type=int, default=1)
    parser.add_argument('--warm', type=int, default=3, help='iterations of a second (default: %(default)s)')
    parser.add_argument('--iterations', type=int, default=3, help='of a second (default: %(default)s)')
    parser.add_argument('--cpu', default=None, help='run on these CPUs alone')


def run(options):
    environment = dict(os.environ)
    options.fields = options.fields or ('new' if options.quick else 'same,new')
    if options.pico:
        source = os.path.join(options.pico, 'picohttpparser.c')
        if not os.path.exists(source):
            raise Failure(f'--pico {options.pico}: there is no picohttpparser.c')
        environment['PICOHTTPPARSER'] = host.compile_c(source, 'libpicohttpparser.so')
    only = ['-p', f'parser={options.only}'] if options.only else []
    measured, skipped = [], {}
    jmh(options, environment, ['ParserPeersBenchmark|ForeignCallBenchmark', *only], measured, skipped)
    rows, calls = [], {}
    for entry in measured:
        metric = entry['primaryMetric']
        name = entry['benchmark'].rpartition('.')[2]
        if name in CALLS:
            calls[name] = metric['score']
        else:
            rows.append({**entry['params'], 'ns': metric['score'], 'error': metric['scoreError'],
                         'least': metric['scorePercentiles']['0.0'], 'greatest': metric['scorePercentiles']['100.0']})
    rows.sort(key=lambda row: row['parser'] != OURS)
    return {'results': rows, 'calls': calls, 'skipped': {name: reason.removeprefix('SKIPPED: ') for name, reason in skipped.items()},
            'forks': options.forks, **dict(zip(('warm', 'iterations', 'iteration'), effort(options)))}


def effort(options):
    """Iterations before measuring, those that are measured, and how long each is."""
    return (1, 2, '100ms') if options.quick else (options.warm, options.iterations, '1s')


def jmh(options, environment, arguments, measured, skipped):
    """Runs benchmarks; what they measured and which were skipped, and why, is added to the last two."""
    out = os.path.join(host.TARGET, 'jmh-parsers.json')
    if os.path.exists(out):
        os.remove(out)
    warm, iterations, time = effort(options)
    command = [options.java_file, '--enable-native-access=ALL-UNNAMED', '-cp', host.class_path(), 'org.openjdk.jmh.Main',
               *arguments, '-f', str(options.forks), '-wi', str(warm), '-i', str(iterations),
               '-w', time, '-r', time, '-p', f'fields={options.fields}', '-rf', 'json', '-rff', out]
    if options.cpu:
        command = ['taskset', '-c', options.cpu, *command]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    parameters, log = '', []
    for line in process.stdout:
        log.append(line)
        if line.startswith('# Parameters:'):
            parameters = line
        elif line.startswith('# Run progress'):
            host.say(line.strip('# \n'))
        elif 'SKIPPED: ' in line or 'IllegalStateException: ' in line:
            name = parameters.partition('parser = ')[2].partition(',')[0] or 'a call'
            reason = line.partition('Exception: ')[2].strip()
            if name not in skipped:
                host.say(f'{name}: {reason}')
            skipped[name] = reason
    if process.wait() != 0 or not os.path.exists(out):
        raise Failure('JMH failed:\n' + ''.join(log[-30:]))
    wrong = [f'{name}: {reason}' for name, reason in skipped.items() if 'SKIPPED' not in reason]
    if wrong:
        raise Failure('a benchmark failed: ' + '; '.join(wrong))
    with open(out, encoding='utf-8') as file:
        measured += json.load(file)


def by_parser(results):
    parsers = {}
    for row in results['results']:
        parsers.setdefault(row['parser'], {})[row['fields'], row['request']] = row
    return parsers


def columns(results):
    found = {(row['fields'], row['request']) for row in results['results']}
    order = [(fields, request) for fields in ('same', 'new') for request in ('wrk', 'techempower', 'browser')]
    return [column for column in order if column in found]


def table(results):
    heads = columns(results)
    lines = ['nanoseconds to parse the head of a request; fields as in the request before (same), or new',
             '', '| parser | ' + ' | '.join(f'{request}, {fields}' for fields, request in heads) + ' |',
             '| --- |' + ' ---: |' * len(heads)]
    for parser, rows in by_parser(results).items():
        cells = [f"{rows[head]['ns']:.0f}" if head in rows else '-' for head in heads]
        lines.append(f'| {parser} | ' + ' | '.join(cells) + ' |')
    lines.append('')
    lines += [f'{parser} was skipped: {reason}' for parser, reason in results['skipped'].items()]
    calls = results['calls']
    if calls:
        lines.append('A foreign call by itself, part of the figures of picohttpparser: ' + ', '.join(
            f'{ns:.1f} ns ({"C function abs" if name == "emptyCall" else "phr_parse_request of no bytes"})' for name, ns in calls.items()))
    lines += [f'{name}: {note}' for name, note in NOTES.items() if name in by_parser(results)]
    wide = [f"{row['parser']}, {row['request']}, {row['fields']}: {row['least']:.0f} to {row['greatest']:.0f} ns"
            for row in results['results'] if row['greatest'] > 1.3 * row['least']]
    if wide:
        lines.append('iterations far apart: ' + '; '.join(wide))
    return lines


def chart(results, draw, title, lines):
    parsers = by_parser(results)
    heads = columns(results)
    groups = [(f'{request}, fields {"repeated" if fields == "same" else "new"}',
               [(parser, rows[fields, request]['ns'], f"{rows[fields, request]['ns']:.0f}") for parser, rows in parsers.items()
                if (fields, request) in rows]) for fields, request in heads]
    rows = sum(len(group) for _, group in groups)
    page = draw.Page(title, [*lines, 'nanoseconds; each group to its own scale'], 860, 110 + 20 * (rows + len(groups)) + 6 * len(groups))
    draw.bars(page, (190, 95, 560, 20), groups, accent=OURS)
    return page
