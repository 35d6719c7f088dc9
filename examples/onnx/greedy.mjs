// Greedy answers by ONNX Runtime:
//
//   vlrun export RUN --format onnx -o model
//   vlrun generate RUN --task vqa --beams 1 --inputs | node greedy.mjs model vqa [BATCH]
//
// reads lines of JSON with `inputs`, and prints a line of `index`, `ids` and `score` for each;
// BATCH examples are answered at a time, 1 if not given.
import readline from 'node:readline';
import {Model} from './model.mjs';

const [directory, task, batch = '1'] = process.argv.slice(2);
if (!task || !(Number(batch) >= 1)) {
  console.error('usage: node greedy.mjs DIR TASK [BATCH] < LINES');
  process.exit(2);
}

const model = await Model.open(directory, task);
let waiting = [];

async function answer() {
  const said = await model.answer(waiting.map((line) => line.inputs));
  waiting.forEach((line, i) => console.log(JSON.stringify({index: line.index, ...said[i]})));
  waiting = [];
}

for await (const text of readline.createInterface({input: process.stdin})) {
  waiting.push(JSON.parse(text));
  if (waiting.length >= Number(batch))
    await answer();
}
if (waiting.length > 0)
  await answer();
