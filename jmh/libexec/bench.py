"""Measures the server and its parser beside others, on this machine, over loopback.

  bench parsers    nanoseconds to parse the head of a request, beside picohttpparser and five Java servers (JMH)
  bench cpu        CPU per request beside a C loop that parses nothing, and nginx: the table of the README
  bench short      connections of one request and of ten: CPU, and system calls counted by strace
  bench files      CPU per request of files from 6 KiB to 10 MiB, beside nginx
  bench scale      CPU per request and p99 as connections, depth, sizes and loops grow
  bench latency    latency at a constant rate (open loop), and whether the JVM had a part in what was slow
  bench report     table and chart of results measured before

Each writes results as JSON and a chart as SVG, prints a table, and stops what it started. bench VERB --help has the
options; --quick gives a first impression within a minute or two.
"""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time

import cpu
import draw
import files
import host
import latency
import parsers
import scale
import short
from host import Failure

FORMAT = 'bareloop-bench-1'
VERBS = {
    'parsers': (parsers, 'the parser beside others'),
    'cpu': (cpu, 'CPU per request'),
    'short': (short, 'short connections'),
    'files': (files, 'static files'),
    'scale': (scale, 'cost as the work grows'),
    'latency': (latency, 'latency at a constant rate'),
}
# Rounds, seconds of a run, warm-up of a JVM: as a rule, and with --quick. What disturbs a machine often lasts for
# seconds: many short rounds find the median between that, few long ones do not.
EFFORT = {'parsers': (1, 1, 1, 1, 1, 1), 'cpu': (9, 1.5, 10, 3, 1, 5), 'short': (7, 1.5, 10, 2, 1, 5),
          'files': (9, 2, 16, 3, 1, 8), 'scale': (3, 1, 8, 1, 1, 4), 'latency': (1, 20, 10, 1, 4, 5)}


def command_line():
    parser = argparse.ArgumentParser(prog='bench', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    for verb, (module, summary) in VERBS.items():
        sub = verbs.add_parser(verb, help=summary, description=module.__doc__.partition(': ')[2])
        rounds, seconds, warm, *_ = EFFORT[verb]
        sub.add_argument('--quick', action='store_true', help='little of everything: a first impression')
        sub.add_argument('--out', metavar='FILE', help='results (default: target/bench-VERB.json); the chart stands beside it')
        sub.add_argument('--java', help=f'of JDK {host.JDK_MIN} or newer (default: JAVA_HOME, PATH, /usr/lib/jvm)')
        sub.add_argument('--no-build', action='store_true', help='take what is in target/')
        module.options(sub)
        if verb == 'parsers':
            continue
        sub.add_argument('--rounds', type=positive, help=f'default: {rounds}')
        sub.add_argument('--seconds', type=float, help=f'of a run (default: {seconds})')
        sub.add_argument('--warm', type=float, help=f'seconds of load before a JVM is measured (default: {warm})')
        sub.add_argument('--settle', type=float, default=0.7, help='seconds before each run, not counted (default: %(default)s)')
        sub.add_argument('--server-cpus', metavar='LIST', help='default: the first half')
        sub.add_argument('--client-cpus', metavar='LIST', help='a generator on each (default: the other half)')
        sub.add_argument('--nice', type=int, default=0, metavar='N', help='of server and generator; -20 keeps other processes off their CPUs (root)')
        sub.add_argument('--server', action='append', default=[], metavar='LABEL=COMMAND',
                         help='measure this too: {port}, {cpus}, {java}, {jar}, {root} (of files) are filled in; repeatable')
        sub.add_argument('--jar', default=host.JAR, help='default: target/bareloop.jar')
        sub.add_argument('--jvm-options', default='', metavar='TEXT', help="of Bareloop's JVM")
        sub.add_argument('--server-options', default='', metavar='TEXT', help='of Bareloop')
    report = verbs.add_parser('report', help='table and chart of results')
    report.add_argument('results', metavar='FILE')
    report.add_argument('--svg', metavar='FILE', help='write the chart there')
    return parser.parse_args()


def positive(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError('from 1 up')
    return int(text)


def complete(options):
    """Fills in what depends on the machine."""
    verb = options.verb
    rounds, seconds, warm, quick_rounds, quick_seconds, quick_warm = EFFORT[verb]
    options.java_file, options.jdk = host.find_java(options.java)
    if verb == 'parsers':
        return
    options.rounds = options.rounds or (quick_rounds if options.quick else rounds)
    options.seconds = options.seconds or (quick_seconds if options.quick else seconds)
    options.warm = options.warm or (quick_warm if options.quick else warm)
    if options.nice < 0 and os.geteuid() != 0:
        raise Failure(f'--nice {options.nice}: needs root')
    options.all_cpus = sorted(os.sched_getaffinity(0))
    mine, others = host.split_cpus()
    options.server_cpus = host.cpu_list(options.server_cpus) if options.server_cpus else mine
    options.client_cpus = host.cpu_list(options.client_cpus) if options.client_cpus else others
    if set(options.server_cpus) & set(options.client_cpus):
        host.say('note: server and client share CPUs: latency and requests per second say little then')


def measure(options):
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
    document = {'format': FORMAT, 'verb': options.verb, 'command': ' '.join(['jmh/bench', *sys.argv[1:]]),
                'seconds': round(time.time() - begun), 'host': host.facts(options.jdk), 'run': shown(options), **results}
    with open(out, 'w', encoding='utf-8') as file:
        json.dump(document, file, indent=1)
        file.write('\n')
    chart = os.path.splitext(out)[0] + '.svg'
    report(document, chart)
    print(f'\nresults: {os.path.relpath(out)}, chart: {os.path.relpath(chart)}')


def shown(options):
    hidden = {'verb', 'java_file', 'jdk', 'scratch', 'java', 'out', 'no_build', 'jar', 'all_cpus', 'pico'}
    return {name: value for name, value in vars(options).items() if name not in hidden}


def host_line(document):
    facts = document['host']
    return (f"{facts['cpu']}, {facts['cpus']} CPUs{' (virtual)' if facts['hypervisor'] else ''}, Linux {facts['kernel']}, "
            f"{facts['congestion_control']}, {facts['jdk']}, {facts['date']}" + (f", {facts['commit']}" if facts['commit'] else ''))


def report(document, svg=None):
    module, summary = VERBS[document['verb']]
    mitigations = document['host']['mitigations']
    print(document['command'])
    print(host_line(document))
    print('mitigations: ' + ('; '.join(f'{name}: {state}' for name, state in mitigations.items()) or 'none needed')
          + (f" ({' '.join(document['host']['kernel_options'])})" if document['host']['kernel_options'] else ''))
    print()
    print('\n'.join(module.table(document)))
    if svg:
        page = module.chart(document, draw, f'Bareloop: {summary}', [host_line(document), document['command']])
        with open(svg, 'w', encoding='utf-8') as file:
            file.write(page.svg())


def read_results(path):
    try:
        with open(path, encoding='utf-8') as file:
            document = json.load(file)
    except (OSError, ValueError) as e:
        raise Failure(f'{path}: {e}') from e
    if not isinstance(document, dict) or document.get('format') != FORMAT or document.get('verb') not in VERBS:
        raise Failure(f'{path}: not written by bench')
    return document


def main():
    # So that what was started is stopped: both end in the finally clauses.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = command_line()
    try:
        if options.verb == 'report':
            report(read_results(options.results), options.svg)
        else:
            measure(options)
    except Failure as failure:
        print(f'bench: {failure}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
