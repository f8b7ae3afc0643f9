"""Measures the server and its parser beside others, on this machine, over loopback.

  bench all        all of the following, and a page of the results; --quick is a trial of it all
  bench cpu        CPU per request beside a C loop that parses nothing, nginx, Netty and Helidon
  bench short      connections of one request and of ten: CPU, and system calls counted by strace
  bench files      CPU per request of files from 6 KiB to 10 MiB, beside nginx
  bench features   CPU per request with features of the API, beside a server that has none
  bench scale      CPU per request and p99 as connections, depth, sizes and loops grow
  bench latency    latency at a constant rate (open loop), and whether the JVM had a part in what was slow
  bench startup    from exec to the first response and to the steady rate, and memory (wrk)
  bench parsers    nanoseconds to parse the head of a request, beside picohttpparser and five Java servers (JMH)
  bench report     table, chart or page of results measured before

Each writes results as JSON and a chart as SVG, prints a table, and stops what it started. bench VERB --help has the
options; --quick gives a first impression within a minute or two.
"""
import argparse
import collections
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time

import cpu
import every
import features
import files
import host
import latency
import page
import parsers
import scale
import short
import startup
from host import Failure

FORMAT = 'bareloop-bench-1'
VERBS = {
    'cpu': (cpu, 'CPU per request'),
    'short': (short, 'short connections'),
    'files': (files, 'static files'),
    'features': (features, 'what features cost'),
    'scale': (scale, 'cost as the work grows'),
    'latency': (latency, 'latency at a constant rate'),
    'startup': (startup, 'start-up and memory'),
    'parsers': (parsers, 'the parser beside others'),
}
LOADED = [verb for verb in VERBS if verb not in ('startup', 'parsers')]  # By our own generator.
# Rounds, seconds of a run, of the warm-up of a JVM, and before each run. What disturbs a machine often lasts for seconds:
# many short rounds find the median between that, few long ones do not.
Effort = collections.namedtuple('Effort', 'rounds seconds warm settle')
FULL = {'cpu': Effort(12, 1, 8, 0.5), 'short': Effort(7, 1.5, 8, 0.5), 'files': Effort(9, 1.5, 12, 0.5), 'scale': Effort(3, 0.8, 8, 0.4),
        'features': Effort(15, 0.5, 8, 0.2), 'latency': Effort(1, 20, 10, 0.5), 'startup': Effort(9, 3, 0, 0)}
QUICK = {'cpu': Effort(1, 0.4, 1.5, 0.1), 'short': Effort(1, 0.4, 1.5, 0.1), 'files': Effort(1, 0.4, 1.5, 0.1), 'scale': Effort(1, 0.3, 0.6, 0.1),
         'features': Effort(1, 0.3, 1, 0.1), 'latency': Effort(1, 1.5, 1.5, 0.1), 'startup': Effort(1, 2, 0, 0)}


def command_line(arguments):
    parser = argparse.ArgumentParser(prog='bench', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    every.options(verbs.add_parser('all', help='everything, and a page of it', description=every.__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter), list(VERBS))
    for verb, (module, summary) in VERBS.items():
        sub = verbs.add_parser(verb, help=summary, description=module.__doc__.partition(': ')[2])
        sub.add_argument('--quick', action='store_true', help='little of everything: a first impression')
        sub.add_argument('--out', metavar='FILE', help='results (default: target/bench-VERB.json); the chart stands beside it')
        sub.add_argument('--java', help=f'of JDK {host.JDK_MIN} or newer (default: JAVA_HOME, PATH, /usr/lib/jvm)')
        sub.add_argument('--no-build', action='store_true', help='take what is in target/')
        module.options(sub)
        if verb in FULL:
            effort_options(sub, FULL[verb])
        if verb in LOADED:
            load_options(sub, FULL[verb])
    report = verbs.add_parser('report', help='table, chart or page of results')
    report.add_argument('results', metavar='FILE', nargs='+')
    report.add_argument('--svg', metavar='FILE', help='write the chart there (of one file of results)')
    report.add_argument('--page', metavar='FILE.md', help='write one page of all, and the charts in results/ beside it')
    return parser.parse_args(arguments)


def effort_options(parser, effort):
    parser.add_argument('--rounds', type=positive, help=f'default: {effort.rounds}')
    parser.add_argument('--seconds', type=float, help=f'of a run (default: {effort.seconds})')
    parser.add_argument('--server-cpus', metavar='LIST', help='default: the first half')
    parser.add_argument('--client-cpus', metavar='LIST', help='a generator on each (default: the other half)')
    parser.add_argument('--jar', default=host.JAR, help='default: target/bareloop.jar')
    parser.add_argument('--jvm-options', default='', metavar='TEXT', help="of Bareloop's JVM")
    parser.add_argument('--server-options', default='', metavar='TEXT', help='of Bareloop')


def load_options(parser, effort):
    parser.add_argument('--warm', type=float, help=f'seconds of load before a JVM is measured (default: {effort.warm})')
    parser.add_argument('--settle', type=float, help=f'seconds before each run, not counted (default: {effort.settle})')
    parser.add_argument('--nice', type=int, default=0, metavar='N', help='of server and generator; -20 keeps other processes off their CPUs (root)')
    parser.add_argument('--server', action='append', default=[], metavar='LABEL=COMMAND',
                        help='measure this too: {port}, {cpus}, {java}, {jar}, {root} (of files) are filled in; repeatable')


def positive(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError('from 1 up')
    return int(text)


def complete(options):
    """Fills in what depends on the machine."""
    verb = options.verb
    options.java_file, options.jdk = host.find_java(options.java)
    if verb not in FULL:
        return
    for name, value in (QUICK if options.quick else FULL)[verb]._asdict().items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)
    if getattr(options, 'nice', 0) < 0 and os.geteuid() != 0:
        raise Failure(f'--nice {options.nice}: needs root')
    options.all_cpus = sorted(os.sched_getaffinity(0))
    mine, others = host.split_cpus()
    options.server_cpus = host.cpu_list(options.server_cpus) if options.server_cpus else mine
    options.client_cpus = host.cpu_list(options.client_cpus) if options.client_cpus else others
    if set(options.server_cpus) & set(options.client_cpus):
        host.say('note: server and client share CPUs: latency and requests per second say little then')


def measure(options, arguments):
    complete(options)
    module, _ = VERBS[options.verb]
    out = options.out or os.path.join(host.TARGET, f'bench-{options.verb}.json')
    if not os.path.isdir(os.path.dirname(os.path.abspath(out))) and options.out:
        raise Failure(f'--out {out}: no such directory')
    if options.verb != 'parsers':
        host.need('taskset', 'util-linux')
    host.build(not options.no_build)
    options.scratch = tempfile.mkdtemp(prefix='bench.')
    begun = time.time()
    try:
        results = module.run(options)
    finally:
        shutil.rmtree(options.scratch, ignore_errors=True)
    document = {'format': FORMAT, 'verb': options.verb, 'command': typed(arguments),
                'seconds': round(time.time() - begun), 'host': host.facts(options.jdk), 'run': shown(options), **results}
    with open(out, 'w', encoding='utf-8') as file:
        file.write(as_text(document))
    report(document, os.path.splitext(out)[0] + '.svg')
    print(f'\nresults: {os.path.relpath(out)}, chart: {os.path.relpath(os.path.splitext(out)[0])}.svg')


def typed(arguments):
    """The command without what says only where things are."""
    kept = []
    words = iter(arguments)
    for word in words:
        if word in ('--out', '--java', '--jar'):
            next(words, None)
        elif word in ('--pico', '--log'):
            next(words, None)
            kept += [word, 'DIRECTORY']
        elif word != '--no-build':
            kept.append(word)
    return shlex.join(['jmh/bench', *kept])


def shown(options):
    hidden = {'verb', 'java_file', 'jdk', 'scratch', 'java', 'out', 'no_build', 'jar', 'all_cpus', 'pico', 'log', 'variant'}
    return {name: value for name, value in vars(options).items() if name not in hidden}


def as_text(document):
    """JSON with a line for each result."""
    rows = document['results']
    text = json.dumps({**document, 'results': ['rows']}, indent=1)
    return text.replace('"rows"', ',\n  '.join(json.dumps(row) for row in rows)) + '\n'


def report(document, svg=None):
    module, heading = VERBS[document['verb']]
    print(document['command'])
    print(page.host_line(document))
    print('mitigations: ' + page.mitigations(document['host'])
          + (f" ({' '.join(document['host']['kernel_options'])})" if document['host']['kernel_options'] else ''))
    print()
    print('\n'.join(module.table(document)))
    if svg:
        page.save(svg, page.chart(document['verb'], heading, module, document))


def report_all(options):
    documents = [read_results(path) for path in options.results]
    if options.svg and len(documents) > 1:
        raise Failure('--svg: one file of results; --page takes several')
    if options.page:
        write_page(options.page, documents, {})
        return
    for document in documents:
        report(document, options.svg)


def write_page(path, documents, not_measured):
    by_verb = {document['verb']: document for document in documents}
    page.write(path, by_verb, [(verb, heading, module) for verb, (module, heading) in VERBS.items()], not_measured)


def read_results(path):
    try:
        with open(path, encoding='utf-8') as file:
            document = json.load(file)
    except (OSError, ValueError) as e:
        raise Failure(f'{path}: {e}') from e
    if not isinstance(document, dict) or document.get('format') != FORMAT or document.get('verb') not in VERBS:
        raise Failure(f'{path}: not written by bench')
    return document


def main(arguments):
    # So that what was started is stopped: both end in the finally clauses.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = command_line(arguments)
    try:
        if options.verb == 'report':
            report_all(options)
        elif options.verb == 'all':
            return every.run(options, read_results, write_page)
        else:
            measure(options, arguments)
    except Failure as failure:
        print(f'bench: {failure}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
