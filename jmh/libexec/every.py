"""Measures everything, one verb after the other, and writes a page of it: RESULTS.md, with results and charts in results/.

The figures are of this machine alone, so leave it alone meanwhile. A verb that fails is named on the page, and in the exit
status; the others go on.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

import host
from host import Failure

# Seconds it took on 2 CPUs: in full, and with --quick.
SECONDS = {
    'cpu': (380, 30), 'short': (160, 25), 'files': (230, 20), 'features': (660, 60), 'scale': (500, 40), 'latency': (140, 25),
    'startup': (170, 40), 'parsers': (330, 45),
}
# What is not there leaves its rows out, or its verb.
TOOLS = (('gcc', 'gcc', 'the C loop, the baseline of cpu, short and scale'), ('nginx', 'nginx', 'its rows'),
         ('strace', 'strace', 'system calls of short'), ('wrk', 'wrk', 'startup'), ('taskset', 'util-linux', 'everything but parsers'))


def options(parser, verbs):
    parser.add_argument('--quick', action='store_true', help='a trial of it all: figures that say little')
    parser.add_argument('--into', metavar='DIRECTORY', help='where RESULTS.md and results/ go (default: target/bench)')
    parser.add_argument('--only', metavar='VERB,...', type=lambda text: known(text, verbs), default=verbs, help=f"of {','.join(verbs)}")
    parser.add_argument('--server', action='append', default=[], metavar='LABEL=COMMAND', help='a further row of cpu; repeatable')
    parser.add_argument('--pico', metavar='DIRECTORY', help='source of picohttpparser, for parsers')
    parser.add_argument('--java', help=f'of JDK {host.JDK_MIN} or newer (default: JAVA_HOME, PATH, /usr/lib/jvm)')
    parser.add_argument('--no-build', action='store_true', help='take what is in target/')


def known(text, verbs):
    for verb in text.split(','):
        if verb not in verbs:
            raise argparse.ArgumentTypeError(f"{verb}: there are {', '.join(verbs)}")
    return text.split(',')


def run(options, read_results, write_page):
    own = os.path.join(host.TARGET, 'bench')
    folder = options.into or own
    if not os.path.isdir(folder) and options.into:
        raise Failure(f'--into {folder}: no such directory')
    # Not there from the start: results that change under way would make the commit they name a dirty one.
    results = os.path.join(own, 'results')
    os.makedirs(results, exist_ok=True)
    say_first(options, folder)
    host.find_java(options.java)
    host.build(not options.no_build)
    begun, made, not_measured = time.time(), [], {}
    for number, verb in enumerate(options.only):
        host.say(f'== {number + 1} of {len(options.only)}: {verb}, {(time.time() - begun) / 60:.0f} min so far')
        out = os.path.join(results, f'{verb}.json')
        if os.path.exists(out):
            os.remove(out)
        code = subprocess.run(command(options, verb, out), stdin=subprocess.DEVNULL).returncode
        if code == 0:
            made.append(read_results(out))
        else:
            not_measured[verb] = f'jmh/bench {verb} ended with {code}'
    if not made:
        raise Failure('nothing was measured')
    if folder != own:
        os.makedirs(os.path.join(folder, 'results'), exist_ok=True)
        for document in made:
            shutil.copy(os.path.join(results, f"{document['verb']}.json"), os.path.join(folder, 'results'))
    page = os.path.join(folder, 'RESULTS.md')
    write_page(page, made, not_measured)
    print(f'\n{os.path.relpath(page)}: {len(made)} of {len(options.only)} verbs, {(time.time() - begun) / 60:.0f} min'
          + ''.join(f'\nmissing: {reason}' for reason in not_measured.values()))
    return 1 if not_measured else 0


def say_first(options, folder):
    seconds = sum(SECONDS[verb][1 if options.quick else 0] for verb in options.only)
    host.say(f'measures {", ".join(options.only)} into {os.path.relpath(folder)}: about {max(1, round(seconds / 60))} min; '
             'it needs two CPUs with nothing else to do')
    for tool, package, purpose in TOOLS:
        if not host.has(tool):
            host.say(f'note: without {tool} (Debian package {package}) there is no {purpose}')
    if not options.pico and 'parsers' in options.only:
        host.say('note: without --pico there is no picohttpparser built for this machine')


def command(options, verb, out):
    words = [sys.executable, '-B', os.path.join(host.HERE, 'bench.py'), verb, '--no-build' if verb != 'startup' or options.no_build else None,
             '--quick' if options.quick else None, '--out', out]
    if options.java:
        words += ['--java', options.java]
    if verb == 'cpu':
        for server in options.server:
            words += ['--server', server]
    if verb == 'parsers' and options.pico:
        words += ['--pico', options.pico]
    return [word for word in words if word]
