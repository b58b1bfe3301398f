"""Saves what an algorithm has learned after every iteration, as a checkpoint that can act."""

from functools import partial

from ray.rllib.callbacks.callbacks import RLlibCallback

from policies.rllib.checkpoint import learned_by, save_checkpoint


class Saves(RLlibCallback):
    """For `config.callbacks(...)`; see :func:`saves`."""

    def __init__(self, path, facts):
        self.path, self.facts = path, facts

    def on_train_result(self, *, algorithm, result, **_):
        """Called by RLlib after every iteration."""
        modules, words = learned_by(algorithm)
        save_checkpoint(self.path, modules, self.facts | words)


def saves(path, facts):
    """Saves into the folder `path`, with these facts in the manifest."""
    return partial(Saves, path, facts)
