#!/usr/bin/env python3
"""The Python package, as it stands in the sources and as pip installs it: python_test.py BUILD_DIR"""
import gc
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import weakref

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIGHTS = os.path.join(ROOT, "models", "shapes", "vlt5_tiny.safetensors")

for needed in ("cffi", "numpy", "pip", "setuptools", "wheel"):
    if not importlib.util.find_spec(needed):
        print(f"Python has no {needed}")
        sys.exit(77)
import numpy
import vlgraph


def questions():
    """Three questions with answers, of arrays of one's own."""
    generator = numpy.random.default_rng(1)
    return vlgraph.Batch(
        "gqa", lengths={"text": [2, 3, 4], "grid": [49] * 3, "dec": [2] * 3},
        fields={"input_ids": numpy.arange(30, 39, dtype=numpy.int32),
                "features": generator.standard_normal((147, 48), numpy.float32),
                "boxes": numpy.zeros((147, 5), numpy.float32),
                "decoder_input_ids": [0, 20, 0, 21, 0, 22], "labels": [20, 1, 21, 1, 22, 1]})


class PythonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plan = vlgraph.compile("vlt5_tiny_adapter", {"dropout": 0})
        cls.work = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    def path(self, name):
        return os.path.join(self.work.name, name)

    def open(self, **options):
        return self.plan.open(weights=WEIGHTS, lanes=1, **options)

    def refuses(self, part, call, *arguments, **options):
        with self.assertRaises(vlgraph.InputError) as refused:
            call(*arguments, **options)
        self.assertIn(part, str(refused.exception))

    def test_plan(self):
        task = self.plan.tasks["gqa"]
        self.assertEqual(list(task.axes), ["text", "grid", "dec"])
        self.assertEqual((task.inputs["boxes"].sequence_rows, task.inputs["features"].width), (49, 48))
        self.assertTrue(task.inputs["labels"].trains and not task.inputs["labels"].generates)
        self.plan.write(self.path("plan.bin"))
        self.assertEqual(vlgraph.Plan.read(self.path("plan.bin")).name, "vlt5_tiny_adapter")
        self.assertLess(self.plan.rate(0, 100), self.plan.rate(50, 100))
        self.assertRegex(vlgraph.version(), r"^\d+\.\d+.*LLVM")

    def test_training(self):
        batch, parameters = questions(), None
        with self.open() as session:
            before = session.evaluate(batch)
            for _ in range(10):
                step = session.step(batch, 1e-2)
            self.assertEqual(step.steps, 10)
            self.assertLess(step.loss, before.loss / 2)
            parameters = session.parameters
            name = parameters.trained[0]
            self.assertEqual(session.gradients(batch), session.gradients(batch))
            self.assertTrue(parameters.gradient(name).any())
            weight, old = parameters[name], parameters[name].copy()
            session.update("gqa", 1e-2)
            self.assertTrue((weight != old).any())
            loss = session.evaluate(batch).loss
            weight[...] = old
            self.assertNotEqual(session.evaluate(batch).loss, loss)

    def test_no_copies(self):
        with self.open() as session:
            parameters = session.parameters
            self.assertIn("shared.weight", parameters)
            self.assertFalse(parameters["shared.weight"].flags.writeable)
            with self.assertRaises(KeyError):
                parameters.gradient("shared.weight")
            name = parameters.trained[0]
            self.assertEqual(parameters[name].ctypes.data, parameters[name].ctypes.data)
            kept = parameters[name]
            handle = weakref.ref(session._handle)
        del parameters, session
        gc.collect()
        self.assertIsNotNone(handle(), "memory went before the array over it")
        self.assertTrue(numpy.isfinite(kept).all())
        del kept
        gc.collect()
        self.assertIsNone(handle(), "memory stays")

    def test_files(self):
        batch = questions()
        with self.open() as one, self.open() as other:
            one.step(batch, 1e-2)
            one.export(self.path("adapters.safetensors"))
            one.save(self.path("checkpoint.safetensors"))
            other.load(self.path("adapters.safetensors"))
            self.assertEqual(one.evaluate(batch).loss, other.evaluate(batch).loss)
            other.load(self.path("checkpoint.safetensors"))
            self.assertEqual(one.step(batch, 1e-2), other.step(batch, 1e-2))

    def test_generation(self):
        batch = questions()
        del batch.fields["labels"], batch.fields["decoder_input_ids"], batch.lengths["dec"]
        with self.open() as session:
            said = session.generate(batch, beams=2, max_length=4, best=2)
            self.assertEqual(said.ids.shape[:2], (3, 2))
            self.assertTrue((said.scores[:, 0] >= said.scores[:, 1]).all())
            self.assertEqual(said.tokens(1).size, said.lengths[1, 0])

    def test_threads(self):
        batch, losses = questions(), []
        with self.open() as session:
            threads = [threading.Thread(target=lambda: losses.append(session.evaluate(batch).loss)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(len(set(losses)), 1)

    def test_data(self):
        data = self.plan.data()
        self.assertGreater(data.epoch_steps, 10)
        with self.open() as session:
            batch = next(data.batches("gqa"))
            said = session.generate(batch)
            self.assertRegex(data.text(said.tokens(0)), "^[a-z]")
            self.assertGreaterEqual(session.score(data, "gqa", limit=20), 0)
            session.step(data.step(0), 1e-3)
        self.assertEqual(data.step(5).task, data.step(5).task)
        self.refuses("tset", data.batches("gqa", "tset").__next__)

    def test_refusals(self):
        self.refuses("'vlt5_adapter'", vlgraph.compile, "vlt5_adaptr")
        self.refuses("int9", vlgraph.compile, "vlt5_adapter", frozen="int9")
        self.refuses("/nowhere", self.plan.open, weights="/nowhere")
        self.refuses("shared.weight", self.plan.open)
        with self.open() as session:
            for change, part in ((lambda b: b.fields.update(labels=[1, 2]), "labels has 2 rows"),
                                 (lambda b: b.fields.update(labels=[2 ** 40] * 6), "no int32"),
                                 (lambda b: b.fields.update(labels=["a"] * 6), "expected numbers"),
                                 (lambda b: b.fields.update(lables=[1]), "did you mean 'labels'?"),
                                 (lambda b: b.fields.update(features=numpy.zeros((147, 48, 1))), "3 dimensions"),
                                 (lambda b: b.lengths.update(text=[9, 9]), "expected int32[2]")):
                batch = questions()
                change(batch)
                self.refuses(part, session.step, batch, 1e-3)
            name = session.parameters.trained[0]
            session.parameters[name][...] = numpy.inf
            with self.assertRaises(vlgraph.NumbersError):
                session.step(questions(), 1e-3)
            with self.assertRaises(ArithmeticError):
                session.evaluate(questions())
        self.refuses("closed", session.step, questions(), 1e-3)


class ReadmeTest(unittest.TestCase):
    """What the README shows, with the package as pip installs it."""

    def test_readme(self):
        with open(os.path.join(ROOT, "python", "README.md"), encoding="utf-8") as file:
            loop = re.search(r"\n\n((?:    .*\n|\n(?=    ))+)", file.read()).group(1)
        loop = "\n".join(line[4:] for line in loop.split("\n"))
        self.assertLessEqual(len(loop.split("\n")), 13, "ten lines and two blank ones")
        with tempfile.TemporaryDirectory() as work:
            # Building leaves files in the sources.
            for name in ("python", "library"):
                shutil.copytree(os.path.join(ROOT, name), os.path.join(work, name), symlinks=True)
            command = ["pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "--quiet",
                       "--root-user-action=ignore", "--target", work + "/site", "./python"]
            subprocess.run([sys.executable, "-m", *command], check=True, cwd=work, stdout=subprocess.DEVNULL)
            os.symlink(os.path.join(ROOT, "models"), os.path.join(work, "models"))
            done = subprocess.run([sys.executable, "-c", loop + "\nprint(vlgraph.__file__)"], check=True, cwd=work,
                                  text=True, stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=work + "/site"))
            self.assertRegex(done.stdout, r"step 60: loss \d")
            self.assertIn(work, done.stdout)
            self.assertTrue(os.path.exists(os.path.join(work, "adapters.safetensors")))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
