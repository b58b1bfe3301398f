"""Small scenarios for tests, built from the parts that matter and played to the end."""

import json
from itertools import count

import marl_health

_numbers = count()


def scenario(tmp_path, *, chosen=None, **parts):
    """Load a scenario of these parts; what a part leaves out has a sensible default."""
    content = {
        "schema": "marl_health/v1",
        "name": "built",
        "version": 1,
        "description": "Built by a test.",
        "tags": ["test"],
        "split": "train",
        "clock": {"episode": "1 days", "decide_every": "1 h"},
        **parts,
    }
    file = tmp_path / f"built_{next(_numbers)}.yaml"
    file.write_text(json.dumps(content, indent=1))
    return marl_health.load(file, chosen)


def game_of(loaded, seed=0, events=True):
    """A game without agents' moves, after its warm-up."""
    game = loaded.kind.make_game(loaded.program)
    game.reset(seed, events=events)
    return game


def play(loaded, seed=0, moves=()):
    """Play a whole episode.

    Args:
        moves: (hour, agent, name of the action) to do at that decision; the action must be possible.
    """
    game = game_of(loaded, seed)
    pending = sorted(moves)
    while not game.finished:
        while pending and pending[0][0] * 60 <= game.now:
            _, agent, name = pending.pop(0)
            assert game.act(agent, game.action_names(agent).index(name)), f"{name} is not possible at {game.now}"
        game.advance()
    assert not pending
    return game


def story(game, entity):
    """[(minute, event type, event)] of one entity, without arrival."""
    return [(round(row[0], 6), row[2], row[3]) for row in game.events() if row[1] == entity and row[3] != "arrival"]


def starts(game, step):
    """{entity: [minutes at which it was given what the step needs]}"""
    found = {}
    for time, entity, kind, event, _ in game.events():
        if kind == "resource_use" and event == step:
            found.setdefault(entity, []).append(round(time, 6))
    return found


def departures(game):
    """{entity: (minute, outcome)}"""
    return {row[1]: (round(row[0], 6), row[4]) for row in game.events() if row[3] == "depart"}


def comes(*times, **has):
    """Arrivals on Monday at these times of the day."""
    each = {"has": has} if has else {}
    return {"timetable": [{"at": time, "on": "Monday", **each} for time in times]}
