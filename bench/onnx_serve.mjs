// ONNX Runtime's side: a process that takes lines `generate 1 LENGTH` as `vlrun bench --serve` does,
// and answers alike.
//
// usage: node onnx_serve.mjs MODEL.MJS DIR TASK INPUTS.safetensors THREADS START END
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const [source, directory, task, inputs, threads, start, end] = process.argv.slice(2);
const {Model} = await import(pathToFileURL(source));
const ort = createRequire(path.resolve(source))('onnxruntime-node');

// The tensors of a safetensors file.
function read(file) {
  const bytes = fs.readFileSync(file), length = Number(bytes.readBigUInt64LE(0));
  const types = {F32: ['float32', Float32Array], I64: ['int64', BigInt64Array]};
  return Object.fromEntries(Object.entries(JSON.parse(bytes.toString('utf8', 8, 8 + length))).map(([name, entry]) => {
    const [first, end] = entry.data_offsets.map((offset) => bytes.byteOffset + 8 + length + offset);
    const [type, Numbers] = types[entry.dtype];
    return [name, new ort.Tensor(type, new Numbers(bytes.buffer.slice(first, end)), entry.shape)];
  }));
}

const model = await Model.open(directory, task, {intraOpNumThreads: Number(threads), interOpNumThreads: 1});
const feeds = read(inputs);
const count = Object.values(feeds)[0].dims[0];

for await (const line of readline.createInterface({input: process.stdin})) {
  const [command, beams, length] = line.split(' ');
  if (command !== 'generate' || beams !== '1') {
    console.error(`expected 'generate 1 LENGTH', found '${line}'`);
    process.exit(1);
  }
  model.task.generation = {start_id: Number(start), end_id: Number(end), max_length: Number(length), no_repeat: 0,
                           length_penalty: 1};
  const begun = process.hrtime.bigint();
  const said = await model.answerFeeds(feeds, count);
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  console.log([seconds.toFixed(6), ...said.flatMap((answer) => answer.ids.slice(1))].join(' '));
}
