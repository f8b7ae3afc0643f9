"""The machine, the JDK, the tools, the build."""
import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
TARGET = os.path.join(REPOSITORY, 'target')
JAR = os.path.join(TARGET, 'bareloop.jar')
CLASS_PATH = os.path.join(TARGET, 'jmh.classpath')
LOAD_CLASS = os.path.join(TARGET, 'test-classes/io/bareloop/load/Load.class')
BUILD = ['mvn', '-q', '-B', '-ntp', '-Pjmh', 'verify', '-Djmh.args=-l', '-Dspotless.check.skip=true']
JDK_MIN = 22


class Failure(Exception):
    """What went wrong, for the one who typed the command."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def need(tool, package):
    found = shutil.which(tool, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    if not found:
        raise Failure(f'{tool} not found: Debian package {package}')
    return found


def has(tool):
    return shutil.which(tool, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')


def read(path, otherwise=''):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read().strip()
    except OSError:
        return otherwise


def cpu_list(text):
    """[0, 1, 2, 5] of "0-2,5"."""
    cpus = []
    for part in text.split(','):
        match = re.fullmatch(r'(\d+)(?:-(\d+))?', part)
        if not match:
            raise Failure(f'{text}: not a list of CPUs such as 0-2,5')
        cpus += range(int(match[1]), int(match[2] or match[1]) + 1)
    return cpus


def on_cpus(cpus, nice=0):
    """The front of a command that is to run there."""
    priority = ['nice', '-n', str(nice)] if nice else []
    return [*priority, need('taskset', 'util-linux'), '-c', ','.join(str(cpu) for cpu in cpus)]


def split_cpus():
    """What there is, halved: the server's and the client's."""
    mine = sorted(os.sched_getaffinity(0))
    half = max(1, len(mine) // 2)
    return mine[:half], mine[half:] or mine


# --- The JDK and the build ---------------------------------------------------------------------


def java_version(java):
    try:
        run = subprocess.run([java, '-XshowSettings:properties', '-version'], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = dict(re.findall(r'^\s+(java\.vm\.version|java\.vendor|java\.specification\.version) = (.*)$', run.stderr, re.M))
    try:
        number = int(found['java.specification.version'])
    except (KeyError, ValueError):
        return None
    return number, f"{found.get('java.vendor', '?')} {found.get('java.vm.version', '?')}"


def find_java(given=None):
    """The java given, or JAVA_HOME's, or the PATH's, or the newest installed: the first that is new enough."""
    for java in [given] if given else candidates():
        version = java_version(java) if java else None
        if version and version[0] >= JDK_MIN:
            return java, version[1]
    what = f'{given}: not a java of JDK {JDK_MIN} or newer' if given else f'no JDK {JDK_MIN} or newer'
    raise Failure(f'{what}: Debian package openjdk-25-jdk-headless, or any; JAVA_HOME is looked at')


def candidates():
    """One after the other: to ask each for its version takes a second where several are installed."""
    if os.environ.get('JAVA_HOME'):
        yield os.path.join(os.environ['JAVA_HOME'], 'bin/java')
    yield shutil.which('java')
    installed = [(java_version(java), java) for java in glob.glob('/usr/lib/jvm/*/bin/java')]
    yield from (java for _, java in sorted((i for i in installed if i[0]), reverse=True))


def newest_source():
    newest = os.path.getmtime(os.path.join(REPOSITORY, 'pom.xml'))
    for root in ('src/main', 'jmh/io', 'jmh/org', 'generated'):
        for directory, _, files in os.walk(os.path.join(REPOSITORY, root)):
            for file in files:
                newest = max(newest, os.path.getmtime(os.path.join(directory, file)))
    return newest


def build(wanted=True):
    """Builds the server, the benchmarks and the load generator, unless they are newer than their sources."""
    built = [JAR, CLASS_PATH, LOAD_CLASS]
    missing = [path for path in built if not os.path.exists(path)]
    if not missing and (not wanted or os.path.getmtime(CLASS_PATH) >= newest_source()):
        return
    if not wanted:
        raise Failure(f'{missing[0]} is missing: build with {" ".join(BUILD)}')
    need('mvn', 'maven')
    say('building (mvn -Pjmh verify, without tests)')
    run = subprocess.run(BUILD, cwd=REPOSITORY, capture_output=True, text=True)
    if run.returncode != 0:
        raise Failure('the build failed:\n' + (run.stdout + run.stderr)[-3000:])
    os.utime(CLASS_PATH)  # Maven leaves it as it was where the libraries are the same.


def class_path():
    return ':'.join([os.path.join(TARGET, 'classes'), os.path.join(TARGET, 'test-classes'), read(CLASS_PATH)])


def compile_c(source, name):
    """A shared object or a program in target/, by gcc; the path of it."""
    gcc = need('gcc', 'gcc')
    os.makedirs(TARGET, exist_ok=True)
    out = os.path.join(TARGET, name)
    shared = ['-shared', '-fPIC'] if name.endswith('.so') else []
    run = subprocess.run([gcc, '-O3', '-march=native', *shared, source, '-o', out], capture_output=True, text=True)
    if run.returncode != 0:
        raise Failure(f'{source}: gcc failed (Debian package libc6-dev has the headers):\n{run.stderr[-2000:]}')
    return out


# --- Facts -------------------------------------------------------------------------------------


def mitigations():
    states = {}
    for path in sorted(glob.glob('/sys/devices/system/cpu/vulnerabilities/*')):
        state = read(path)
        if state and state != 'Not affected':
            states[os.path.basename(path)] = state
    return states


def facts(jdk=''):
    cpu = re.search(r'^model name\s*:\s*(.*)$', read('/proc/cpuinfo'), re.M)
    options = re.findall(r'\b(?:mitigations|isolcpus|nohz_full|idle)=\S+', read('/proc/cmdline'))
    git = subprocess.run(['git', '-C', REPOSITORY, 'describe', '--always', '--dirty'], capture_output=True, text=True) if has('git') else None
    return {
        'date': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
        'kernel': platform.release(),
        'cpu': cpu[1] if cpu else platform.machine(),
        'cpus': os.cpu_count(),
        'hypervisor': 'hypervisor' in read('/proc/cpuinfo'),
        'governor': read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor', None),
        'kernel_options': options,
        'mitigations': mitigations(),
        'congestion_control': read('/proc/sys/net/ipv4/tcp_congestion_control', '?'),
        'load_average': os.getloadavg()[0],
        'jdk': jdk,
        'commit': git.stdout.strip() if git and git.returncode == 0 else None,
    }
