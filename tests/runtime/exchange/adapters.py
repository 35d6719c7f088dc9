"""Safetensors files, and what PEFT and AdapterHub do with theirs, by their conventions alone: names of modules as
transformers has them, and formulas as their documents give them. Nothing here is taken from the project."""
import json
import math
import struct

SIZES = {'F32': ('f', 4)}


class Tensor:
    """Numbers in row-major order."""

    def __init__(self, shape, numbers):
        self.shape, self.numbers = list(shape), list(numbers)

    def rows(self):
        width = self.shape[-1]
        return [self.numbers[i:i + width] for i in range(0, len(self.numbers), width)]


def read(path):
    """Tensors by name, and the metadata."""
    with open(path, 'rb') as file:
        data = file.read()
    length, = struct.unpack('<Q', data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop('__metadata__', {})
    tensors = {}
    for name, entry in header.items():
        letter, size = SIZES[entry['dtype']]
        begin, end = (8 + length + offset for offset in entry['data_offsets'])
        numbers = struct.unpack(f'<{(end - begin) // size}{letter}', data[begin:end])
        tensors[name] = Tensor(entry['shape'], numbers)
    return tensors, metadata


def write(path, tensors, metadata=None):
    header, offset = {'__metadata__': metadata or {'format': 'pt'}}, 0
    for name, tensor in tensors.items():
        size = 4 * len(tensor.numbers)
        header[name] = {'dtype': 'F32', 'shape': tensor.shape, 'data_offsets': [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text)
        for tensor in tensors.values():
            file.write(struct.pack(f'<{len(tensor.numbers)}f', *tensor.numbers))


# -- the modules of T5ForConditionalGeneration and BartForConditionalGeneration, of two layers ------------------

def attentions(backbone):
    if backbone == 'vlt5':
        return ([f'encoder.block.{i}.layer.0.SelfAttention' for i in range(2)]
                + [f'decoder.block.{i}.layer.{j}' for i in range(2)
                   for j in ('0.SelfAttention', '1.EncDecAttention')])
    return ([f'model.encoder.layers.{i}.self_attn' for i in range(2)]
            + [f'model.decoder.layers.{i}.{name}' for i in range(2) for name in ('self_attn', 'encoder_attn')])


def maps(backbone, *letters):
    end = '' if backbone == 'vlt5' else '_proj'
    return [f'{attention}.{letter}{end}' for attention in attentions(backbone) for letter in letters]


def second_maps(backbone):
    """Of feed-forward layers, the maps behind the activation."""
    if backbone == 'vlt5':
        return [f'{stack}.block.{i}.layer.{last}.DenseReluDense.wo'
                for stack, last in (('encoder', 1), ('decoder', 2)) for i in range(2)]
    return [f'model.{stack}.layers.{i}.fc2' for stack in ('encoder', 'decoder') for i in range(2)]


def bottlenecks(backbone):
    """Where AdapterHub's modules for adapters are."""
    if backbone == 'vlt5':
        return [f'{stack}.block.{i}.layer.{j}.adapters'
                for stack, count in (('encoder', 2), ('decoder', 3)) for i in range(2) for j in range(count)]
    names = {'encoder': ('attention', 'output'), 'decoder': ('attention', 'cross_attention', 'output')}
    return [f'model.{stack}.layers.{i}.{name}_adapters.adapters'
            for stack in names for i in range(2) for name in names[stack]]


# -- merging, as PEFT does it -----------------------------------------------------------------------------------

def product(a, b):
    columns = list(zip(*b.rows()))
    return [[math.fsum(x * y for x, y in zip(row, column)) for column in columns] for row in a.rows()]


def merged(weights, config, adapter):
    """The weights, by name, that an adapter changes: as rows, and biases as one row."""
    prefix, out = 'base_model.model.', {}
    modules = sorted({name[len(prefix):].split('.lora_')[0].split('.ia3_')[0].split('.vera_')[0]
                      for name in adapter if name.startswith(prefix)})
    for module in modules:
        assert module.split('.')[-1] in config['target_modules'], module
        rows = weights[module + '.weight'].rows()
        own = {name[len(prefix + module) + 1:]: tensor for name, tensor in adapter.items()
               if name.startswith(prefix + module + '.')}
        if config['peft_type'] == 'IA3':
            by = own['ia3_l'].numbers
            if module.split('.')[-1] in config['feedforward_modules']:
                assert own['ia3_l'].shape == [1, len(rows[0])]
                rows = [[w * x for w, x in zip(row, by)] for row in rows]
            else:
                assert own['ia3_l'].shape == [len(rows), 1]
                rows = [[w * x for w in row] for row, x in zip(rows, by)]
                if module + '.bias' in weights:
                    out[module + '.bias'] = [[w * x for w, x in zip(weights[module + '.bias'].numbers, by)]]
        elif config['peft_type'] == 'VERA':
            d, b = own['vera_lambda_d'].numbers, own['vera_lambda_b'].numbers
            scaled = Tensor(adapter['base_model.vera_A'].shape,
                            [w * x for row, x in zip(adapter['base_model.vera_A'].rows(), d) for w in row])
            change = product(adapter['base_model.vera_B'], scaled)
            rows = [[w + x * c for w, c in zip(row, line)] for row, line, x in zip(rows, change, b)]
        else:
            scale = config['lora_alpha'] / config['r']
            assert own['lora_A.weight'].shape[0] == config['r']
            change = product(own['lora_B.weight'], own['lora_A.weight'])
            rows = [[w + scale * c for w, c in zip(row, line)] for row, line in zip(rows, change)]
            if config['use_dora']:
                rows = [[m * w / math.sqrt(math.fsum(v * v for v in row)) for w in row]
                        for row, m in zip(rows, own['lora_magnitude_vector'].numbers)]
        out[module + '.weight'] = rows
    return out
