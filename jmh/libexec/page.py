"""The page of all results: tables, charts, and what they were measured on."""
import os
import re

import cpu
import draw
import host
from host import Failure

PICTURE = 'cpu-per-request.svg'
# Bareloop beside itself in the same rounds: its ratios say nothing of other figures, and may be of another state of the code.
APART = ('features',)
STATE = ('commit', 'cpu', 'kernel', 'jdk')
HEAD = '''# Results

All figures here are of one commit, measured on one host in one run of `jmh/bench all`, unless a section says otherwise. `jmh/bench report --page` wrote this page from
the files in [{folder}]({folder}): edit those who write it, not the page. What the figures mean is in [README.md](README.md); what was tried
and gained nothing is in [TRIED.md](TRIED.md).
'''


def write(path, documents, sections, not_measured):
    """Writes the page, and the charts beside the results; sections is [(verb, heading, module)]."""
    together = {verb: document for verb, document in documents.items() if verb not in APART}
    check_same(together)
    folder = os.path.dirname(path) or '.'
    charts = os.path.join(folder, 'results')
    os.makedirs(charts, exist_ok=True)
    text = [HEAD.format(folder='results'), *origin(list((together or documents).values()))]
    for verb, heading, module in sections:
        text += ['', f'## {heading[0].upper()}{heading[1:]}', '']
        document = documents.get(verb)
        if not document:
            text.append(f"Not measured: {not_measured.get(verb, 'jmh/bench ' + verb + ' was left out')}")
            continue
        save(os.path.join(charts, f'{verb}.svg'), chart(verb, heading, module, document))
        if verb in APART and together and state(document) != state(next(iter(together.values()))):
            text += [*origin([document]), '']
        text += [f"`{document['command']}`, {minutes(document['seconds'])}", '', f'![{heading}](results/{verb}.svg)', '', *paragraphs(module.table(document))]
    if 'cpu' in documents:
        save(os.path.join(charts, PICTURE), cpu.picture(documents['cpu'], draw, host_line(documents['cpu'], short=True)))
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(text).rstrip() + '\n')


def state(document):
    """What figures have to have in common to stand beside each other."""
    return [document['host'][name] for name in STATE]


def check_same(documents):
    """No figure of one state of the code beside one of another."""
    for name in STATE:
        found = {document['host'][name]: verb for verb, document in documents.items()}
        if len(found) > 1:
            raise Failure(f'results of more than one {name} do not make a page: '
                          + ', '.join(f'{verb} has {value}' for value, verb in found.items()) + '; run jmh/bench all')


def origin(documents):
    facts = documents[0]['host']
    dates = sorted(document['host']['date'] for document in documents)
    rows = {'commit': facts['commit'] or 'unknown',
            'measured': f'{dates[0]} to {dates[-1]}',
            'host': f"{facts['cpu']}, {facts['cpus']} CPUs{', virtual' if facts['hypervisor'] else ''}",
            'kernel': f"Linux {facts['kernel']}; {facts['congestion_control']}" + (f"; {' '.join(facts['kernel_options'])}" if facts['kernel_options'] else ''),
            'mitigations': mitigations(facts),
            'JDK': facts['jdk']}
    return ['| | |', '| --- | --- |', *(f"| {name} | {value.replace('|', '/')} |" for name, value in rows.items())]


def mitigations(facts):
    return '; '.join(f'{name}: {state}' for name, state in facts['mitigations'].items()) or 'none needed'


def host_line(document, short=False):
    facts = document['host']
    line = f"{facts['cpu']}, {facts['cpus']} CPUs{' (virtual)' if facts['hypervisor'] else ''}, Linux {facts['kernel']}, "
    if short:
        return line + f"{document['run']['connections']} connections, one CPU, {facts['date'][:10]}"
    return line + f"{facts['congestion_control']}, {facts['jdk']}, {facts['date']}" + (f", {facts['commit']}" if facts['commit'] else '')


def chart(verb, heading, module, document):
    return module.chart(document, draw, f'Bareloop: {heading}', [host_line(document), document['command']])


def save(path, page):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(page.svg())


def paragraphs(lines):
    """Lines of tables stay together, others are paragraphs of their own."""
    text = []
    for line in lines:
        if text and line and not (line.startswith('|') and text[-1].startswith('|')) and text[-1]:
            text.append('')
        text.append(re.sub(r'([<>])', r'\\\1', line) if not line.startswith('|') else line)
    return text


def minutes(seconds):
    return f'{seconds // 60} min {seconds % 60} s' if seconds >= 60 else f'{seconds} s'
