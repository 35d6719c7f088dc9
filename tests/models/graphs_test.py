#!/usr/bin/env python3
"""Hold the graphs of all recipes against recorded digests of what they compute.

usage: tests/models/graphs_test.py BUILD_DIR [--bless] [RECIPE...]

graphs.tsv has a row per task of a recipe, at a small size and with all that can be traced: of each
graph, of the grafts of each graph, and of all that is declared (settings, tasks, parameters,
states) a digest. Equal digests mean the same ops with the same attributes and types over the same
values, up to the order of independent ones, of the operands of add and mul, and of grafts at
different sites. Places, names of values and reasons do not count. Run with --bless where graphs are
meant to change; the rows that then differ are those of the recipes that did.
"""
import collections
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

from recipes import MODELS, all_recipes

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = os.path.join(HERE, 'graphs.tsv')

PLACE = re.compile(r' at "(?:[^"\\]|\\.)*":\d+:\d+')
NAMED = re.compile(r' named "(?:[^"\\]|\\.)*"')
REASON = re.compile(r' (trained|frozen) "(?:[^"\\]|\\.)*"')
NODE = re.compile(r'%(\d+) = (\S+)((?: %\d+)*)(.*)')
OPERAND = re.compile(r'%(\d+)')
GRAFT = re.compile(r'graph @(\S+\.graft)\.\d+ (.*)')


def digest(parts):
    return hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:12]


class Graph:
    def __init__(self, header):
        graft = GRAFT.fullmatch(header)
        # Grafts count by their sites, whatever their numbers.
        self.header = graft[2] if graft else header
        self.name = graft[1] if graft else header.split()[1][1:]
        self.nodes = {}
        self.facts = []  # axes, outputs

    def take(self, line):
        node = NODE.fullmatch(line)
        if not node:
            self.facts.append(OPERAND.sub(lambda at: self.nodes[at[1]], line))
            return
        number, op, operands, rest = node.groups()
        values = [self.nodes[word] for word in OPERAND.findall(operands)]
        if op in ('add', 'mul'):
            values.sort()
        self.nodes[number] = digest([op, *values, rest])

    def digest(self):
        # A value that no output needs counts, too: as often as it stands there.
        return digest([self.header, *sorted(self.facts), *sorted(self.nodes.values())])


def read_module(lines):
    """Of each graph its digest, of grafts those at a site in order; and all that is declared."""
    graphs, declared = collections.defaultdict(list), []
    graph, task = None, ''
    for line in lines:
        line = REASON.sub(r' \1', NAMED.sub('', PLACE.sub('', line))).strip()
        if line.startswith('graph '):
            graph = Graph(line)
        elif line == '}':
            graphs[graph.name].append((graph.header, graph.digest()))
            graph = None
        elif graph:
            graph.take(line)
        elif line:
            if line.startswith(('task ', 'param ')):
                task = line.split()[1]
            nested = line.startswith(('data ', 'alias '))
            declared.append(f'{task} {line}' if nested else line)
    return graphs, declared


def rows_of(vlc, recipe):
    """(recipe, task or '') to the digests of its graphs, by their names without the task."""
    size = 'tiny' if recipe.startswith('extract_') or '_tiny_' in recipe else 'golden'
    command = [vlc, 'dump', '--after', 'lower', recipe + '.vg', '--set', 'size=' + size,
               '--set', 'trace=1']
    text = subprocess.run(command, cwd=MODELS, check=True, stdout=subprocess.PIPE, text=True).stdout
    graphs, declared = read_module(text.splitlines())
    rows = {(recipe, ''): {'declared': digest(sorted(declared))}}
    for name, parts in graphs.items():
        task, kind = name.split('.', 1)
        parts = sorted(parts, key=lambda part: part[0])  # stable: order at a site stays
        row = rows.setdefault((recipe, task), {})
        row[kind] = digest(part for _, part in parts)
    return rows


def read_record():
    rows = {}
    if os.path.exists(RECORD):
        with open(RECORD) as file:
            for line in file:
                recipe, task, *fields = line.rstrip('\n').split('\t')
                rows[recipe, task] = dict(field.split('=') for field in fields)
    return rows


def write_record(rows):
    with open(RECORD, 'w') as file:
        for (recipe, task), row in sorted(rows.items()):
            fields = [f'{kind}={value}' for kind, value in sorted(row.items())]
            print(recipe, task, *fields, sep='\t', file=file)


def differences(expected, found):
    for key in sorted(expected.keys() | found.keys()):
        old, new = expected.get(key, {}), found.get(key, {})
        for kind in sorted(old.keys() | new.keys()):
            if old.get(kind) != new.get(kind):
                what = ('is gone' if kind not in new else 'is not recorded' if kind not in old
                        else 'is not as recorded')
                yield f'{key[0]}: {".".join(filter(None, (key[1], kind)))} {what}'


def main():
    build, *words = sys.argv[1:] or sys.exit(__doc__)
    chosen = [word for word in words if word != '--bless']
    recipes = chosen or list(all_recipes())
    vlc = os.path.join(os.path.abspath(build), 'frontend', 'vlc')
    found = {}
    with concurrent.futures.ProcessPoolExecutor(2) as workers:
        for rows in workers.map(rows_of, [vlc] * len(recipes), recipes):
            found.update(rows)
    record = read_record()
    if '--bless' in words:
        kept = {key: row for key, row in record.items() if chosen and key[0] not in chosen}
        write_record({**kept, **found})
        return
    expected = {key: row for key, row in record.items() if not chosen or key[0] in chosen}
    problems = list(differences(expected, found))
    print(*problems, f'{len(recipes)} recipes, {len(problems)} differences', sep='\n')
    sys.exit(bool(problems))


main()
