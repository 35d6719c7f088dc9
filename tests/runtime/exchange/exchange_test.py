#!/usr/bin/env python3
"""Adapters go to other libraries as those would have written them, and come back to the bit.

usage: exchange_test.py BUILD_DIR

Each method's trained parameters get random numbers. What is exported is compared with names, shapes and members
that the conventions give (adapters.py), folded weights with a merge done by those conventions, and what comes back
with the plain export. Then what must be refused.
"""
import json
import math
import os
import shutil
import sys
import tempfile

import adapters
from programs import (MODELS, VLC, VLRUN, backbone_of, check, compiled, config_of, f32, faults, filled, refuses, run,
                      same_bytes, set_config, sets)


# -- what the conventions say -----------------------------------------------------------------------------------

def expected(recipe):
    """Format, members, and shapes of tensors by name, of the small backbones: width 96, inner width 192."""
    backbone, method = recipe.split('_')
    q, v = ('q', 'v') if backbone == 'vlt5' else ('q_proj', 'v_proj')
    prefix = 'base_model.model.'
    low_rank = {'r': 4, 'bias': 'none', 'fan_in_fan_out': False, 'target_modules': [q, v],
                'task_type': 'SEQ_2_SEQ_LM', 'inference_mode': True}
    if method in ('lora', 'dora'):
        names = {}
        for module in adapters.maps(backbone, 'q', 'v'):
            names[f'{prefix}{module}.lora_A.weight'] = [4, 96]
            names[f'{prefix}{module}.lora_B.weight'] = [96, 4]
            if method == 'dora':
                names[f'{prefix}{module}.lora_magnitude_vector'] = [96]
        return 'peft', {**low_rank, 'peft_type': 'LORA', 'lora_alpha': 32, 'use_dora': method == 'dora',
                        'use_rslora': False, 'rank_pattern': {}, 'alpha_pattern': {}}, names
    if method == 'vera':
        names = {'base_model.vera_A': [4, 96], 'base_model.vera_B': [96, 4]}
        for module in adapters.maps(backbone, 'q', 'v'):
            names[f'{prefix}{module}.vera_lambda_d'] = [4]
            names[f'{prefix}{module}.vera_lambda_b'] = [96]
        return 'peft', {**low_rank, 'peft_type': 'VERA', 'save_projection': True}, names
    if method == 'ia3':
        names = {f'{prefix}{module}.ia3_l': [96, 1] for module in adapters.maps(backbone, 'k', 'v')}
        names.update({f'{prefix}{module}.ia3_l': [1, 192] for module in adapters.second_maps(backbone)})
        last = 'wo' if backbone == 'vlt5' else 'fc2'
        return 'peft', {'peft_type': 'IA3', 'feedforward_modules': [last], 'fan_in_fan_out': False,
                        'target_modules': [q.replace('q', 'k'), v, last]}, names
    if method == 'prompt':
        return 'peft', {'peft_type': 'PROMPT_TUNING', 'num_virtual_tokens': 40, 'token_dim': 96,
                        'num_transformer_submodules': 1, 'task_type': 'SEQ_2_SEQ_LM'}, {'prompt_embeddings': [40, 96]}
    width, names = 24 if backbone == 'vlt5' else 12, {}
    for module in adapters.bottlenecks(backbone):
        names[f'{module}.mine.adapter_down.0.weight'] = [width, 96]
        names[f'{module}.mine.adapter_down.0.bias'] = [width]
        names[f'{module}.mine.adapter_up.weight'] = [96, width]
        names[f'{module}.mine.adapter_up.bias'] = [96]
    kind, name = ('t5', 'T5') if backbone == 'vlt5' else ('bart', 'Bart')
    return 'adapterhub', {'model_type': kind, 'model_class': name + 'ForConditionalGeneration', 'hidden_size': 96,
                          'name': 'mine'}, names


HOULSBY = {'mh_adapter': True, 'output_adapter': True, 'cross_adapter': True, 'non_linearity': 'gelu_new',
          'original_ln_before': False, 'original_ln_after': True, 'residual_before_ln': True,
          'adapter_residual_before_ln': False, 'ln_before': False, 'ln_after': False, 'scaling': 1.0}


def check_members(recipe, config, wanted):
    for member, value in wanted.items():
        found = config.get(member)
        if isinstance(value, list):
            found, value = sorted(found or []), sorted(value)
        check(f'{recipe}: "{member}" is {found}, expected {value}', found == value)


def check_files(recipe, folder):
    form, members, names = expected(recipe)
    file = {'peft': 'adapter_model.safetensors', 'adapterhub': 'adapter.safetensors'}[form]
    tensors, metadata = adapters.read(os.path.join(folder, file))
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    differing = set(map(str, shapes.items())) ^ set(map(str, names.items()))
    check(f'{recipe}: names and shapes are not as expected: {sorted(differing)}', shapes == names)
    check(f'{recipe}: metadata {metadata}', metadata['format'] == 'pt')
    config = config_of(folder)
    check_members(recipe, config, members)
    if form == 'adapterhub':
        check_members(recipe, config['config'],
                      {**HOULSBY, 'reduction_factor': 4 if recipe.startswith('vlt5') else 8})
        # isinstance(scaling, float) is what the library asks
        check(f'{recipe}: scaling is an integer', isinstance(config['config']['scaling'], float))
    return config, tensors


def check_fold(recipe, config, tensors, folded):
    base, _ = adapters.read(backbone_of(recipe))
    trained, _ = adapters.read(folded)
    wanted = adapters.merged({**base, **{name: tensor for name, tensor in trained.items() if name.endswith('bias')
                                         and config['peft_type'] != 'IA3'}}, config, tensors)
    check(f'{recipe}: folded, it has {sorted(set(trained) - set(base))}', set(trained) <= set(base))
    tied = base['shared.weight' if 'shared.weight' in base else 'model.shared.weight'].numbers
    for name in set(base) - set(trained):
        check(f'{recipe}: folded, it has no {name}', base[name].numbers == tied)
    for name, rows in wanted.items():
        worst = max(abs(w - x) for row, line in zip(rows, [trained[name].numbers] if len(rows) == 1
                                                    else trained[name].rows()) for w, x in zip(row, line))
        check(f'{recipe}: {name} differs by {worst}', worst < 2e-6)
    for name in base:
        weight_of = name.endswith('.weight') and any(name.endswith(end) for end in
                                                     ('q.weight', 'v.weight', 'k.weight', 'o.weight', 'fc2.weight',
                                                      'proj.weight', 'fc1.weight', 'wi.weight'))
        if weight_of and name in trained and name not in wanted:
            check(f'{recipe}: {name} has changed', trained[name].numbers == base[name].numbers)


# -- there and back ---------------------------------------------------------------------------------------------

def there_and_back(recipe, *settings):
    plan, base = compiled(recipe, *settings), backbone_of(recipe)
    plain, folder, form = filled(recipe, plan, *settings), plan + '.out', expected(recipe)[0]
    name = ['--name', 'mine'] if form == 'adapterhub' else []
    said = run(VLRUN, 'export', plan, '--from', plain, '--weights', base, '--format', form, *name, '-o', folder)
    check(f'{recipe} does not name what it leaves: {said}', 'visual_embedding' in said and 'vlgraph.safetensors' in said)
    config, tensors = check_files(recipe, folder)
    run(VLRUN, 'export', plan, '--from', folder, '--weights', base, '-o', plan + '.back')
    check(f'{recipe} does not come back to the bit', same_bytes(plain, plan + '.back'))
    if form == 'peft' and not recipe.endswith('prompt'):
        run(VLRUN, 'export', plan, '--from', plain, '--weights', base, '--fold', '-o', plan + '.folded')
        check_fold(recipe, config, tensors, plan + '.folded')
    return plan, plain, folder


def scores(*options):
    """What is said, and how likely it is taken to be."""
    lines = run(VLRUN, 'generate', *options, '--data', 'data', '--task', 'gqa', '--limit', '10').splitlines()
    return [json.loads(line) for line in lines if line.startswith('{')]


def folded_is_the_same(recipe, plan, plain):
    """Where it counts: what the plain backbone says with folded weights."""
    bare = compiled(recipe.split('_')[0] + '_visual')
    with_adapter = scores(plan, '--from', plain, '--weights', backbone_of(recipe))
    without = scores(bare, '--weights', plan + '.folded')
    check(f'{recipe}: {len(with_adapter)} and {len(without)} answers', len(with_adapter) == len(without) == 10)
    for one, other in zip(with_adapter, without):
        check(f'{recipe}: {one} and, folded, {other}',
              one['ids'] == other['ids'] and abs(one['score'] - other['score']) < 1e-4)


# -- what is refused --------------------------------------------------------------------------------------------

def refusals(plan, plain, folder):
    """Of low-rank pairs on the small VL-T5."""
    base, file = backbone_of('vlt5'), 'adapter_model.safetensors'

    def taken_from(change, text, keeps_rest=True):
        copy = folder + '.bad'
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        if not keeps_rest:
            os.remove(os.path.join(copy, 'vlgraph.safetensors'))
        tensors, metadata = adapters.read(os.path.join(copy, file))
        change(copy, tensors, metadata)
        adapters.write(os.path.join(copy, file), tensors, metadata)
        refuses(text, VLRUN, 'export', plan, '--from', copy, '--weights', base, '-o', 'never')
        check(f'written in spite of "{text}"', not os.path.exists('never'))

    first = 'base_model.model.encoder.block.0.layer.0.SelfAttention.q.lora_A.weight'
    taken_from(lambda copy, tensors, metadata: set_config(copy, lora_alpha=16), '"lora_alpha" is 16, the plan\'s is 32')
    taken_from(lambda copy, tensors, metadata: set_config(copy, lora_alpha=...), 'has no "lora_alpha"')
    taken_from(lambda copy, tensors, metadata: set_config(copy, alpha_pattern={'q': 64}), '"alpha_pattern" is {"q":64}')
    taken_from(lambda copy, tensors, metadata: set_config(copy, rank_pattern=[]), '"rank_pattern" is []')
    taken_from(lambda copy, tensors, metadata: set_config(copy, target_modules=['q']), '"target_modules" is ["q"]')
    taken_from(lambda copy, tensors, metadata: set_config(copy, peft_type='IA3'), '"peft_type" is "IA3"')
    taken_from(lambda copy, tensors, metadata: tensors.pop(first), f"has no tensor '{first}'")
    taken_from(lambda copy, tensors, metadata: tensors.update(more=tensors[first]), "tensor 'more'")
    taken_from(lambda copy, tensors, metadata: tensors[first].shape.append(1), f"tensor '{first}' has shape [4, 96, 1]")
    taken_from(lambda copy, tensors, metadata: metadata.update(vlgraph_adapter='0'), 'belongs to another adapter')
    taken_from(lambda copy, tensors, metadata: None, 'has nothing for the trained parameter', keeps_rest=False)

    shutil.copytree(folder, folder + '.more')
    set_config(folder + '.more', init_lora_weights='pissa', eva_config=None)
    said = run(VLRUN, 'export', plan, '--from', folder + '.more', '--weights', base, '-o', 'taken')
    check(f'a member that nothing is known of: {said}',
          '"init_lora_weights" is "pissa": not compared' in said and 'eva_config' not in said)

    def foreign(copy, *_):
        rest = os.path.join(copy, 'vlgraph.safetensors')
        tensors, metadata = adapters.read(rest)
        del metadata['vlgraph_adapter']
        adapters.write(rest, tensors, metadata)
    taken_from(foreign, 'belongs to another adapter')

    def spoil(copy, *_):
        with open(os.path.join(copy, 'adapter_config.json'), 'w', encoding='utf-8') as config:
            config.write('{"r": ')
    taken_from(spoil, 'adapter_config.json')

    refuses('in the format adapterhub', VLRUN, 'export', plan, '--from', plain, '--weights', base, '--format',
            'adapterhub', '-o', 'never')
    refuses("no task 'vqb'; did you mean 'vqa'?", VLRUN, 'export', plan, '--from', plain, '--weights', base, '--format',
            'peft', '--task', 'vqb', '-o', 'never')
    for options, text in (((['--format', 'pefd']), 'pefd'), ((['--format', 'peft', '--fold']), '--fold'),
                          ((['--merge', '--fold']), '--fold'), ((['--task', 'vqa']), '--task'),
                          ((['--name', 'a']), '--name'), ((['--format', 'peft', '--name', 'a.b']), '--name')):
        refuses(text, VLRUN, 'export', plan, '--from', plain, '--weights', base, *options, '-o', 'never', code=2)
    check('written in spite of a mistake', not os.path.exists('never'))
    tensors, metadata = adapters.read(plain)
    name = first[len('base_model.model.'):].replace('lora_A.weight', 'lora_As.vqa')
    tensors[name].numbers[0] = math.inf
    adapters.write('infinite', {name: tensor for name, tensor in tensors.items()}, metadata)
    refuses('not', VLRUN, 'export', plan, '--from', 'infinite', '--weights', base, '--format', 'peft', '-o', 'never2')


def from_elsewhere(plan, folder):
    """An adapter that others have trained has no file of ours beside it; a plan that trains nothing else takes it."""
    base = backbone_of('vlt5')
    alone = folder + '.alone'
    os.mkdir(alone)
    tensors, _ = adapters.read(os.path.join(folder, 'adapter_model.safetensors'))
    adapters.write(os.path.join(alone, 'adapter_model.safetensors'), tensors)
    shutil.copy(os.path.join(folder, 'adapter_config.json'), alone)
    with open('alone.vg', 'w', encoding='utf-8') as file:
        file.write(f'''<model name="alone" extends="{os.path.relpath(MODELS)}/vlt5_lora.vg" xmlns="urn:vlgraph:1">
  <freeze params="$visual"/>
</model>
''')
    run(VLC, 'compile', 'alone.vg', *sets('rank=4'), '-o', 'alone.bin')
    run(VLRUN, 'export', 'alone.bin', '--from', alone, '--weights', base, '-o', 'alone.safetensors')
    taken, _ = adapters.read('alone.safetensors')
    prefix = 'base_model.model.'
    for name, tensor in tensors.items():
        own = name[len(prefix):].replace('lora_A.weight', 'lora_As.gqa').replace('lora_B.weight', 'lora_Bs.gqa')
        check(f'{own} is not what {name} was', taken[own].numbers == tensor.numbers)
    run(VLRUN, 'export', 'alone.bin', '--from', alone, '--weights', base, '--format', 'peft', '-o', 'alone.again')
    again, _ = adapters.read(os.path.join('alone.again', 'adapter_model.safetensors'))
    check('another adapter comes out', {name: tensor.numbers for name, tensor in again.items()}
          == {name: tensor.numbers for name, tensor in tensors.items()})


def own_parameters():
    """Where each task has its own, one goes out at a time, and all come back."""
    recipe, settings = 'vlt5_multiple_lora', ('rank=4',)
    plan, base = compiled(recipe, *settings), backbone_of(recipe)
    plain = filled(recipe, plan, *settings)
    export = (VLRUN, 'export', plan, '--from', plain, '--weights', base)
    refuses('--task NAME', *export, '--format', 'peft', '-o', 'none')
    refuses('--task NAME', *export, '--fold', '-o', 'none')
    run(*export, '--format', 'peft', '--task', 'gqa', '-o', 'gqa')
    tensors, _ = adapters.read(os.path.join('gqa', 'adapter_model.safetensors'))
    ours, _ = adapters.read(plain)
    module = 'decoder.block.1.layer.1.EncDecAttention.v'
    check('another task\'s parameters', tensors[f'base_model.model.{module}.lora_B.weight'].numbers
          == ours[f'{module}.lora_Bs.gqa'].numbers)
    run(VLRUN, 'export', plan, '--from', 'gqa', '--weights', base, '-o', 'gqa.back')
    check('tasks do not come back to the bit', same_bytes(plain, 'gqa.back'))
    run(*export, '--fold', '--task', 'gqa', '-o', 'gqa.folded')
    folded, _ = adapters.read('gqa.folded')
    check('folded, other tasks are left', not any('lora' in name for name in folded))
    os.remove(os.path.join('gqa', 'vlgraph.safetensors'))
    refuses('--set tasks=NAME', VLRUN, 'export', plan, '--from', 'gqa', '--weights', base, '-o', 'none')


def computed_tensors():
    """A prompt that a network makes goes out as vectors, and does not come back from others' vectors; one without a
    network does. The lengths of weight-decomposed rows are made of weights, which must be given."""
    plan, _, folder = there_and_back('vlt5_prompt')
    base, path = backbone_of('vlt5'), os.path.join(folder, 'adapter_model.safetensors')
    tensors, _ = adapters.read(path)
    tensors['prompt_embeddings'].numbers[7] += 1
    adapters.write(path, tensors)
    refuses("tensor 'prompt_embeddings' is not what the plan makes", VLRUN, 'export', plan, '--from', folder,
            '--weights', base, '-o', 'none')
    plain = compiled('vlt5_prompt', 'prompt_hidden=0')
    run(VLRUN, 'export', plain, '--from', folder, '--weights', base, '-o', 'vectors')
    taken, _ = adapters.read('vectors')
    check('vectors are not taken', list(taken['encoder.prompt_modules.prompts.vqa.prefix_embedding.0.weight'].numbers)
          == [f32(number) for number in tensors['prompt_embeddings'].numbers])
    refuses('has a form in the format peft', VLRUN, 'export', compiled('vlbart_prompt'), '--from',
            filled('vlbart_prompt', compiled('vlbart_prompt')), '--weights', backbone_of('vlbart'), '--format', 'peft',
            '-o', 'none')
    refuses('can be folded', VLRUN, 'export', plan, '--from', plan + '.plain',
            '--weights', base, '--fold', '-o', 'none')


def without_weights():
    plan = compiled('vlt5_dora', 'rank=4')
    tensors, _ = adapters.read(plan_made := filled('vlt5_dora', plan, 'rank=4'))
    adapters.write('without', tensors)
    refuses('no file gives', VLRUN, 'export', plan, '--from', 'without', '--format', 'peft', '-o', 'none')
    check(f'{plan_made}: a directory without weights', not os.path.exists('none'))


def other_names(folder, plan):
    """AdapterHub's own models have one part more in their names, and the adapter's name is anybody's."""
    path = os.path.join(folder, 'adapter.safetensors')
    tensors, metadata = adapters.read(path)
    adapters.write(path, {'transformer.' + name.replace('.mine.', '.theirs.'): tensor
                          for name, tensor in tensors.items()}, metadata)
    run(VLRUN, 'export', plan, '--from', folder, '--weights', backbone_of('vlt5'), '-o', 'theirs')
    check('another name of the adapter', same_bytes('theirs', plan + '.plain'))


def torch_reads(plan, plain):
    """All names of a model, those of one parameter sharing its memory."""
    run(VLRUN, 'export', plan, '--from', plain, '--weights', backbone_of('vlt5'), '--format', 'reference', '--merge',
        '-o', 'LAST.pth')
    run(VLRUN, 'export', plan, '--from', plain, '--weights', backbone_of('vlt5'), '--merge', '-o', 'whole')
    try:
        import torch
    except ImportError:
        print('without PyTorch: its reading is not tested')
        return
    ours, _ = adapters.read('whole')
    theirs = torch.load('LAST.pth', map_location='cpu')
    for name, tensor in ours.items():
        check(f'PyTorch reads another {name}', list(theirs[name].shape) == tensor.shape
              and theirs[name].flatten().tolist() == list(tensor.numbers))
    check('aliases are missing', theirs['lm_head.weight'].data_ptr() == theirs['shared.weight'].data_ptr())


def main():
    run(VLRUN, 'make-data', 'shapes', 'data', '--size', '100')
    for backbone in ('vlt5', 'vlbart'):
        for method, settings in (('dora', ['rank=4']), ('vera', ['rank=4']), ('ia3', []), ('adapter', [])):
            plan, plain, folder = there_and_back(f'{backbone}_{method}', *settings)
            if method == 'ia3':
                folded_is_the_same(f'{backbone}_{method}', plan, plain)
        if backbone == 'vlt5':
            other_names(folder, plan)
        plan, plain, folder = there_and_back(f'{backbone}_lora', 'rank=4')
        if backbone == 'vlt5':
            folded_is_the_same('vlt5_lora', plan, plain)
            refusals(plan, plain, folder)
            from_elsewhere(plan, folder)
            torch_reads(plan, plain)
    own_parameters()
    computed_tensors()
    without_weights()
    return 1 if faults else 0


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    status = main()
    os.chdir('/')
sys.exit(status)
