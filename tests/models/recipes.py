"""The recipes that ship."""
import os

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'models')


def all_recipes():
    for name in sorted(os.listdir(MODELS)):
        if name.endswith('.vg'):
            with open(os.path.join(MODELS, name)) as file:
                if '<model ' in file.read():
                    yield name[:-len('.vg')]
