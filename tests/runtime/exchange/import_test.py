#!/usr/bin/env python3
"""Adapters of others and files of the reference become parameters here: by import, train --init-from and average.

usage: import_test.py BUILD_DIR
"""
import math
import os
import shutil
import sys
import tempfile

import adapters
from programs import (MODELS, VLC, VLRUN, backbone_of, check, compiled, config_of, f32, faults, filled, refuses, run,
                      same_bytes, set_config)

TENSORS, OURS = 'adapter_model.safetensors', 'vlgraph.safetensors'
BASE = backbone_of('vlt5')
ONE_STEP = ('--data', 'data', '--eval-every', '0', '--steps', '1', '--set', 'lr=1e-30', '--progress', 'quiet')


def adapter(recipe, *settings):
    """A plan, an export of random numbers, and the directory of the other library's."""
    plan = compiled(recipe, 'tasks=gqa', *settings)
    plain, folder = filled(recipe, plan, 'tasks=gqa', *settings), plan + '.out'
    form = 'adapterhub' if recipe.endswith('adapter') else 'peft'
    run(VLRUN, 'export', plan, '--from', plain, '--weights', BASE, '--format', form, '-o', folder)
    return plan, plain, folder


def copy_of(folder, *without):
    copy = f'{folder}.{len(os.listdir("."))}'
    shutil.copytree(folder, copy)
    for name in without:
        os.remove(os.path.join(copy, name))
    return copy


def imported(plan, source, text, *options):
    said = run(VLRUN, 'import', plan, source, '--weights', BASE, *options, '-o', 'imported')
    check(f'import of {source} should say "{text}", says:\n{said}', text in said)
    return said


def numbers(path):
    return {name: tensor.numbers for name, tensor in adapters.read(path)[0].items()}


# -- import and train -------------------------------------------------------------------------------------------

def comes_back(plan, plain, folder):
    imported(plan, folder, 'parameters to begin with\n')
    check('import is not what was exported', same_bytes('imported', plain))
    said = run(VLRUN, 'train', plan, '--init-from', folder, '--weights', BASE, *ONE_STEP, '--out', plan + '.run')
    check(f'train does not say what it begins with: {said}', f'{folder}: ' in said and 'to begin with' in said)
    run(VLRUN, 'export', plan + '.run', '-o', 'trained')
    check('train did not begin with the adapter', numbers('trained') == numbers(plain))


def without_ours(plan, plain, folder):
    """An adapter of others: what it lacks is named and keeps its initial values; --from wants all."""
    alone = copy_of(folder, OURS)
    said = imported(plan, alone, 'trained ones are not there, and keep their initial values')
    check(f'what is not there is not named: {said}', "not there: 'encoder.visual_embedding" in said)
    ours, made = numbers(plain), numbers('imported')
    for name, row in made.items():
        check(f'{name} is not as expected', (row == ours[name]) == ('lora' in name))
    refuses('has nothing for the trained parameter', VLRUN, 'export', plan, '--from', alone, '--weights', BASE,
            '-o', 'never')
    imported(plan, alone, ' skipped', '--skip-weights', '*lora_As*')
    check('a skipped parameter was taken', not any(row == ours[name] for name, row in numbers('imported').items()
                                                   if 'lora_As' in name))


def reference_files(plan, plain):
    """What torch.save wrote."""
    run(VLRUN, 'export', plan, '--from', plain, '--weights', BASE, '--format', 'reference', '-o', 'LAST.pth')
    imported(plan, 'LAST.pth', 'parameters to begin with\n')
    check('a .pth is not what was exported', numbers('imported') == numbers(plain))
    said = run(VLRUN, 'train', plan, '--init-from', 'LAST.pth', '--weights', BASE, *ONE_STEP, '--out', 'pth.run')
    check(f'train from a .pth: {said}', 'LAST.pth: ' in said)
    run(VLRUN, 'average', 'LAST.pth', 'LAST.pth', '-o', 'averaged')
    check('the average of a .pth', numbers('averaged') == numbers(plain))


def older_files(plan, plain, folder, hub_plan, hub_plain, hub_folder):
    """adapter_model.bin and pytorch_adapter.bin, as PyTorch writes them."""
    try:
        import torch
    except ImportError:
        print('without PyTorch: files that it writes are not tested')
        return
    for recipe_plan, wanted, source, name, older in (
            (plan, plain, folder, TENSORS, 'adapter_model.bin'),
            (hub_plan, hub_plain, hub_folder, 'adapter.safetensors', 'pytorch_adapter.bin')):
        tensors, _ = adapters.read(os.path.join(source, name))
        copy = copy_of(source, name)
        torch.save({key: torch.tensor(tensor.numbers).reshape(tensor.shape) for key, tensor in tensors.items()},
                   os.path.join(copy, older))
        imported(recipe_plan, copy, 'parameters to begin with\n')
        check(f'{older} is not what was exported', same_bytes('imported', wanted))
        with open(os.path.join(copy, older), 'r+b') as file:
            file.truncate(100)
        refuses(older, VLRUN, 'import', recipe_plan, copy, '--weights', BASE, '-o', 'never')


# -- the average of adapters ------------------------------------------------------------------------------------

def averages(plan, plain, folder):
    other = copy_of(folder)
    for name in (TENSORS, OURS):
        path = os.path.join(other, name)
        tensors, metadata = adapters.read(path)
        if name == TENSORS:
            metadata.pop('vlgraph_adapter')  # as others write it again
        for tensor in tensors.values():
            tensor.numbers = [f32(number + 1) for number in tensor.numbers]
        adapters.write(path, tensors, metadata)
    run(VLRUN, 'average', folder, other, '-o', 'mean')
    check('the configuration of the average', config_of('mean') == config_of(folder))
    imported(plan, 'mean', 'parameters to begin with\n')
    ours, made = numbers(plain), numbers('imported')
    for name, row in made.items():
        check(f'{name} is no average', all(abs(a - b - 0.5) < 1e-5 for a, b in zip(row, ours[name])))
    mixed = copy_of(folder)
    set_config(mixed, lora_alpha=7)
    refuses('"lora_alpha" is 7, ', VLRUN, 'average', folder, mixed, '-o', 'no_mean')
    refuses(OURS, VLRUN, 'average', folder, copy_of(folder, OURS), '-o', 'no_mean')
    refuses('is no directory of another library', VLRUN, 'average', folder, plain, '-o', 'no_mean')
    check('a refused average was written', not os.path.exists('no_mean'))


# -- computed tensors -------------------------------------------------------------------------------------------

def magnitudes_of_others():
    """Lengths of rows, as others train them, become our shares of the weights' lengths."""
    plan, plain, folder = adapter('vlt5_dora', 'rank=4')
    alone = copy_of(folder, OURS)
    path = os.path.join(alone, TENSORS)
    tensors, _ = adapters.read(path)
    for name, tensor in tensors.items():
        if name.endswith('magnitude_vector'):
            tensor.numbers = [f32(2 * number) for number in tensor.numbers]
    adapters.write(path, tensors)
    imported(plan, alone, 'keep their initial values')
    ours, made = numbers(plain), numbers('imported')
    found = [name for name in made if 'lora_magnitudes' in name]
    check('there are magnitudes', len(found) == 12)
    for name in found:
        check(f'{name} is not what others have trained',
              all(math.isclose(a, 2 * b, rel_tol=1e-5) for a, b in zip(made[name], ours[name])))
    # Trained on from our export, beside our file, too.
    beside = copy_of(alone)
    shutil.copy(os.path.join(folder, OURS), beside)
    imported(plan, beside, 'parameters to begin with\n')
    again = numbers('imported')
    check('magnitudes beside our file', all(again[name] == made[name] for name in found))
    refuses('which no file gives: --weights PATH', VLRUN, 'import', plan, alone, '-o', 'never')


def prompts_of_others():
    plan, _, folder = adapter('vlt5_prompt')
    refuses("tensor 'prompt_embeddings' cannot be taken", VLRUN, 'import', plan, copy_of(folder, OURS),
            '--weights', BASE, '-o', 'never')


# -- what is refused --------------------------------------------------------------------------------------------

def refusals(plan, folder, hub_plan, hub_folder):
    def refused(text, source, recipe_plan=plan):
        refuses(text, VLRUN, 'import', recipe_plan, source, '--weights', BASE, '-o', 'never')
        refuses(text, VLRUN, 'train', recipe_plan, '--init-from', source, '--weights', BASE, *ONE_STEP, '--out', 'never')

    def with_config(**members):
        copy = copy_of(folder)
        set_config(copy, **members)
        return copy

    refused('no adapter_config.json, which says what they are', copy_of(folder, 'adapter_config.json'))
    refused('has adapter_config.json, and no tensors', copy_of(folder, TENSORS, OURS))
    refused('"peft_type" is "IA3", the plan\'s is "LORA"', with_config(peft_type='IA3'))
    refused('"r" is 8, the plan\'s is 4', with_config(r=8))
    refused('has no "r", which is 4 in the plan', with_config(r=...))
    refused('has no "lora_alpha", which is 32 in the plan; it has "lora_alpah"',
            with_config(lora_alpha=..., lora_alpah=32))
    refused('"target_modules" is ["k","v"], the plan\'s is ["q", "v"]', with_config(target_modules=['k', 'v']))
    refused('has a form in the format adapterhub', hub_folder)
    refused('has a form in the format peft', folder, hub_plan)
    copy = copy_of(folder)
    tensors, metadata = adapters.read(os.path.join(copy, TENSORS))
    first = next(iter(tensors))
    adapters.write(os.path.join(copy, TENSORS), {**tensors, first + 's': tensors[first]}, metadata)
    refused(f"tensor '{first}s' could be; it has '", copy)
    check('something refused was written', not os.path.exists('never') or os.listdir('never') == [])
    refuses('-o FILE is needed', VLRUN, 'import', plan, folder, code=2)
    refuses('', VLRUN, 'import', plan, '-o', 'never', code=2)
    refuses('cannot be read', VLRUN, 'import', plan, 'nowhere', '-o', 'never')


def main():
    run(VLRUN, 'make-data', 'shapes', 'data', '--size', '20')
    lora, hub = adapter('vlt5_lora', 'rank=4'), adapter('vlt5_adapter')
    comes_back(*lora)
    comes_back(*hub)
    without_ours(*lora)
    reference_files(*lora[:2])
    older_files(*lora, *hub)
    averages(*lora)
    magnitudes_of_others()
    prompts_of_others()
    refusals(lora[0], lora[2], hub[0], hub[2])
    return 1 if faults else 0


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    status = main()
    os.chdir('/')
sys.exit(status)
