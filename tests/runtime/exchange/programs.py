"""Plans, files of random numbers and the programs at work, for the tests of adapters. The build directory is the
first argument of each."""
import json
import math
import os
import random
import re
import struct
import subprocess
import sys

import adapters

BUILD = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..', '..'))
MODELS = os.path.join(ROOT, 'models')
VLC, VLRUN = (os.path.join(BUILD, *path) for path in (('frontend', 'vlc'), ('runtime', 'vlrun')))
KEPT = re.compile(r'param "([^"]+)" : f32\[([^]]+)\] .*init (\w+).* (?:trained "|decay \S+ buffer )')
faults = []


def check(what, ok):
    if not ok:
        faults.append(what)
        print(f'failed: {what}')


def run(*command, code=0):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    check(f'{" ".join(command[1:])} ends with {done.returncode}:\n{done.stdout}', done.returncode == code)
    return done.stdout


def refuses(text, *command, code=1):
    said = run(*command, code=code)
    check(f'{" ".join(command[1:])} should say "{text}", says:\n{said}', text in said)


def sets(*settings):
    return [word for setting in ('size=tiny', 'dropout=0') + settings for word in ('--set', setting)]


def compiled(recipe, *settings):
    plan = f'{recipe}.{len(os.listdir("."))}.bin'
    run(VLC, 'compile', os.path.join(MODELS, recipe + '.vg'), *sets(*settings), '-o', plan)
    return plan


def f32(number):
    return struct.unpack('f', struct.pack('f', number))[0]


def filled(recipe, plan, *settings):
    """Random numbers for all that is trained or drawn, as an export of this plan."""
    text = run(VLC, 'dump', os.path.join(MODELS, recipe + '.vg'), *sets(*settings), '--after', 'lower')
    source, tensors = random.Random(recipe), {}
    for name, shape, kind in KEPT.findall(text):
        dims = [int(extent) for extent in shape.split(',')]
        middle = 1 if kind == 'ones' else 0
        tensors[name] = adapters.Tensor(dims, [f32(middle + source.gauss(0, 0.1)) for _ in range(math.prod(dims))])
    made, plain = plan + '.made', plan + '.plain'
    adapters.write(made, tensors)
    run(VLRUN, 'export', plan, '--from', made, '--weights', backbone_of(recipe), '-o', plain)
    return plain


def backbone_of(recipe):
    return os.path.join(MODELS, 'shapes', recipe.split('_')[0] + '_tiny.safetensors')


def same_bytes(a, b):
    with open(a, 'rb') as one, open(b, 'rb') as other:
        return one.read() == other.read()


def config_of(folder):
    with open(os.path.join(folder, 'adapter_config.json'), encoding='utf-8') as file:
        return json.load(file)


def set_config(folder, **members):
    config = {**config_of(folder), **members}
    with open(os.path.join(folder, 'adapter_config.json'), 'w', encoding='utf-8') as file:
        json.dump({name: value for name, value in config.items() if value is not ...}, file)
