"""What the tests of redrawn futures share: many redraws of a small clinic, and laws to compare them with."""

from math import erf, exp, lgamma, log, sqrt

import numpy as np

from tests.worlds.build import comes, game_of, scenario

DRAWS = 1500
CRITICAL = 1.95
"""Of the Kolmogorov-Smirnov statistic times the root of the sample's size; exceeded once in a thousand."""


def redraws(game, read, draws=DRAWS):
    """What is read in each of many redrawn worlds."""
    return [read(game.fork(redraw=key).running) for key in range(draws)]


def differs(sample, cdf):
    """Kolmogorov-Smirnov statistic of a sample against a continuous law, times the root of its size."""
    values = np.sort(sample)
    expected = np.array([cdf(value) for value in values])
    steps = np.arange(len(values) + 1) / len(values)
    return max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])) * sqrt(len(values))


def lognormal(mean, sd):
    """CDF of a lognormal with this mean and standard deviation."""
    variance = log(1 + (sd / mean) ** 2)
    mu = log(mean) - variance / 2
    return lambda x: 0.5 * (1 + erf((log(x) - mu) / sqrt(2 * variance))) if x > 0 else 0.0


def weibull(shape, mean):
    scale = mean / exp(lgamma(1 + 1 / shape))
    return lambda x: 1 - exp(-((x / scale) ** shape)) if x > 0 else 0.0


def left_after(cdf, passed):
    """CDF of what is left of something that has lasted for ``passed`` minutes."""
    return lambda x: (cdf(passed + x) - cdf(passed)) / (1 - cdf(passed))


def at(loaded, minutes, seed=0):
    """A world at a minute of its first day."""
    game = game_of(loaded, seed, events=False)
    game.running.advance(minutes)
    return game


def clinic(tmp_path, pathway, *, times=("00:00",), **parts):
    entities = {"patient": {"arrive": comes(*times), "begins": next(iter(pathway)), **parts.pop("patient", {})}}
    home = {"home": {"leave": "discharged"}}
    return scenario(tmp_path, entities=parts.pop("entities", entities), pathway={**pathway, **home}, **parts)


def only(world):
    (entity,) = world.entities.values()
    return entity


def still_there(loaded, minutes, step):
    """A world in which the only patient is in a step at a minute, found among seeds."""
    for seed in range(3000):
        game = at(loaded, minutes, seed)
        if [entity.step.name for entity in game.running.entities.values()] == [step]:
            return game
    raise AssertionError("nobody lasts that long")
