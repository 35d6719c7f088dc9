// A task of an export of `vlrun export --format onnx`: its graphs, and greedy answers.
//
// Rows of all examples are padded to the longest; generation.json says which inputs are masks,
// what the decode graph keeps from the encode graph, and which of its results it reads again
// with the next token.
import fs from 'node:fs';
import path from 'node:path';
import ort from 'onnxruntime-node';

const arrays = {float32: Float32Array, int64: BigInt64Array};

export class Model {
  // `options` are those of an InferenceSession of ONNX Runtime.
  static async open(directory, task, options = {}) {
    const model = new Model();
    const all = JSON.parse(fs.readFileSync(path.join(directory, 'generation.json'), 'utf8'));
    if (!(task in all.tasks))
      throw new Error(`'${directory}' has no task '${task}', but ${Object.keys(all.tasks).join(', ')}`);
    model.task = all.tasks[task];
    const load = (graph) => ort.InferenceSession.create(path.join(directory, graph.file), options);
    model.encode = await load(model.task.encode);
    model.decode = await load(model.task.decode);
    return model;
  }

  // Of each example the ids of the likeliest token, time after time, from the start token to
  // the end token, if there was room for it; and their score as `vlrun generate` prints it.
  // `examples` are objects with rows by the names of inputs.
  async answer(examples) {
    return this.answerFeeds(this.encodeFeeds(examples), examples.length);
  }

  // The same of tensors by the names of inputs.
  async answerFeeds(inputs, count) {
    const {generation, token, logits, caches} = this.task;
    const lines = Array.from({length: count}, () => ({ids: [generation.start_id], sum: 0, hasEnded: false}));
    const feeds = this.firstFeeds(await this.encode.run(inputs), count);
    for (let length = 1; length < generation.max_length && lines.some((line) => !line.hasEnded); length++) {
      // Those that have ended go on beside the others, and are not heard.
      feeds[token] = ids(lines.map((line) => line.ids.slice(-1)));
      const results = await this.decode.run(feeds);
      lines.forEach((line, i) => line.hasEnded || say(line, row(results[logits], i), generation));
      for (const [past, present] of Object.entries(caches))
        feeds[past] = results[present];
    }
    return lines.map((line) => ({
      ids: line.ids,
      score: line.sum / (line.ids.length - (line.hasEnded ? 1 : 0)) ** generation.length_penalty,
    }));
  }

  encodeFeeds(examples) {
    const isMask = (input) => this.task.masks.includes(input.name);
    const feeds = {}, rows = {};
    for (const input of this.task.encode.inputs.filter((one) => !isMask(one))) {
      const values = examples.map((example) => example[input.name]);
      feeds[input.name] = padded(input, values);
      rows[input.shape[1]] = values.map((value) => value.length);
    }
    for (const input of this.task.encode.inputs.filter(isMask)) {
      feeds[input.name] = mask(rows[input.shape[1]]);
      delete rows[input.shape[1]];
    }
    for (const [axis, lengths] of Object.entries(rows))
      if (new Set(lengths).size > 1)
        throw new Error(`axis '${axis}' has no mask, and examples with ${[...new Set(lengths)].join(' and ')} rows: ` +
                        'answer them one by one');
    return feeds;
  }

  // No token was said yet: caches have no rows.
  firstFeeds(encoded, batch) {
    const feeds = {};
    for (const [name, from] of Object.entries(this.task.kept))
      feeds[name] = encoded[from];
    for (const input of this.task.decode.inputs)
      if (input.name in this.task.caches)
        feeds[input.name] = new ort.Tensor('float32', new Float32Array(0), [batch, 0, input.shape[2]]);
    return feeds;
  }
}

// -- tensors ----------------------------------------------------------------------------------

// Rows of all examples, as many as the longest has.
function padded(input, values) {
  const rows = Math.max(...values.map((value) => value.length));
  const width = input.shape.slice(2).reduce((a, b) => a * b, 1);
  const data = new arrays[input.type](values.length * rows * width);
  const number = input.type === 'int64' ? BigInt : Number;
  values.forEach((value, i) => value.flat().forEach((x, j) => {
    data[i * rows * width + j] = number(x);
  }));
  return new ort.Tensor(input.type, data, [values.length, rows, ...input.shape.slice(2)]);
}

function mask(lengths) {
  const rows = Math.max(...lengths);
  return ids(lengths.map((length) => Array.from({length: rows}, (_, i) => i < length ? 1 : 0)));
}

function ids(lines) {
  return new ort.Tensor('int64', BigInt64Array.from(lines.flat(), BigInt), [lines.length, lines[0].length]);
}

function row(tensor, i) {
  const width = tensor.dims[tensor.dims.length - 1];
  return tensor.data.subarray(i * width, (i + 1) * width);
}

// -- choosing ---------------------------------------------------------------------------------

// One more token: that of the largest logit, the first of equals, of those that close no run of
// `no_repeat` tokens that was said before.
function say(line, logits, generation) {
  const banned = repeats(line.ids, generation.no_repeat);
  let best = -1, largest = -Infinity, sum = 0;
  for (let i = 0; i < logits.length; i++) {
    largest = Math.max(largest, logits[i]);
    if ((best < 0 || logits[i] > logits[best]) && !banned.has(i))
      best = i;
  }
  for (const logit of logits)
    sum += Math.exp(logit - largest);
  line.ids.push(best);
  line.sum += logits[best] - largest - Math.log(sum);
  line.hasEnded = best === generation.end_id;
}

function repeats(said, length) {
  const banned = new Set(), run = said.slice(said.length - length + 1).join();
  for (let i = 0; length > 0 && i + length <= said.length; i++)
    if (said.slice(i, i + length - 1).join() === run)
      banned.add(said[i + length - 1]);
  return banned;
}
