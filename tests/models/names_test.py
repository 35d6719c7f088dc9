#!/usr/bin/env python3
"""Hold the names of values in all recipes, and what passes leave of them.

usage: tests/models/names_test.py BUILD_DIR [--bless]

In every graph of every recipe, as it is lowered, no two values have the same name, and what it gives
(loss, results, the value of a graft) has one. In the plans of some recipes names are those that the
recipe gives, gradients and values made again included. names.tsv holds, for one recipe, what share
of its train graph's operations has a name after each pass; --bless writes it anew.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

from recipes import MODELS, all_recipes

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = os.path.join(HERE, 'names.tsv')
PLANNED = ('vlt5_compacter', 'vlt5_lora', 'vlt5_prompt', 'vlbart_ladder', 'vlbart_multiple_prompts')
SHOWN = 'vlt5_lora'
PASSES = ('lower', 'attach', 'autodiff', 'freeze', 'simplify', 'precision', 'pack', 'save', 'fuse',
          'schedule', 'memplan')
SOURCES = ('input', 'param', 'weight', 'state', 'gradient', 'constant', 'site')

GRAPH = re.compile(r'graph @(\S+) ')
NODE = re.compile(r'  (%\d+) = (\w+) .*')
NAME = re.compile(r' named "((?:[^"\\]|\\.)*)"')
SOURCE = re.compile(r'  %\d+ = (?:input|param|weight|state) "((?:[^"\\]|\\.)*)"')
OUTPUT = re.compile(r'  (?:loss|graft|result "(?:[^"\\]|\\.)*") (%\d+)')
MADE = re.compile(r'(:gradient|:again)(\.\d+)?$')


class Graph:
    def __init__(self, name):
        self.name, self.ops, self.named, self.sources, self.given = name, {}, {}, set(), []

    def take(self, line):
        node, source, output = NODE.match(line), SOURCE.match(line), OUTPUT.match(line)
        if node:
            self.ops[node[1]] = node[2], ' backward ' in line
            name = NAME.search(line)
            if name:
                self.named[node[1]] = name[1]
        if source:
            self.sources.add(source[1])
        if output:
            self.given.append(output[1])

    def share(self, backward):
        """Per cent of the operations that have names."""
        ops = [value for value, (op, stage) in self.ops.items()
               if op not in SOURCES and stage == backward]
        return round(100 * sum(value in self.named for value in ops) / len(ops)) if ops else None


def size_of(recipe):
    return 'tiny' if recipe.startswith('extract_') or '_tiny_' in recipe else 'golden'


def graphs_of(vlc, recipe, after=None):
    command = [vlc, 'dump', recipe + '.vg', '--set', 'size=' + size_of(recipe)]
    command += ['--after', after] if after else []
    text = subprocess.run(command, cwd=MODELS, check=True, stdout=subprocess.PIPE, text=True).stdout
    graphs = []
    for line in text.splitlines():
        header = GRAPH.match(line)
        if header:
            graphs.append(Graph(header[1]))
        elif graphs:
            graphs[-1].take(line)
    return graphs


def faults_of_lowered(vlc, recipe):
    faults = []
    for graph in graphs_of(vlc, recipe, 'lower'):
        names = list(graph.named.values())
        if not names and not all(op in SOURCES for op, _ in graph.ops.values()):
            faults.append(f'{recipe}: @{graph.name} has no names')
        if len(set(names)) < len(names):
            faults.append(f'{recipe}: @{graph.name} has a name twice')
        faults += [f'{recipe}: @{graph.name}: what it gives has no name: {value}'
                   for value in graph.given
                   if value not in graph.named and graph.ops[value][0] not in SOURCES]
    return faults


def faults_of_plan(vlc, recipe):
    given = {graph.name: graph for graph in graphs_of(vlc, recipe, 'attach')}
    faults = []
    for graph in graphs_of(vlc, recipe):
        model = given[graph.name]
        known = set(model.named.values()) | model.sources
        names = graph.named.values()
        if len(set(names)) < len(names):
            faults.append(f'{recipe}: @{graph.name} has a name twice in the plan')
        faults += [f'{recipe}: @{graph.name}: the plan names a value {name}, and no element does'
                   for name in names if MADE.sub('', MADE.sub('', name)) not in known]
    return faults


def shares(vlc):
    for after in PASSES:
        graph = next(graph for graph in graphs_of(vlc, SHOWN, after) if graph.name == 'vqa.train')
        backward = graph.share(True)
        yield f'{after}\t{graph.share(False)}\t{"-" if backward is None else backward}\n'


def main():
    build, *words = sys.argv[1:] or sys.exit(__doc__)
    vlc = os.path.join(os.path.abspath(build), 'frontend', 'vlc')
    found = 'after\tforward\tbackward\n' + ''.join(shares(vlc))
    if words == ['--bless']:
        with open(RECORD, 'w') as file:
            file.write(found)
        return
    faults = []
    with concurrent.futures.ThreadPoolExecutor(2) as workers:
        for work, recipes in ((faults_of_lowered, list(all_recipes())), (faults_of_plan, PLANNED)):
            for some in workers.map(work, [vlc] * len(recipes), recipes):
                faults += some
    with open(RECORD) as file:
        if file.read() != found:
            faults.append(f'shares of names of {SHOWN} are not as recorded, but\n{found}')
    print(*faults[:20], f'{len(faults)} faults', sep='\n')
    sys.exit(bool(faults))


main()
