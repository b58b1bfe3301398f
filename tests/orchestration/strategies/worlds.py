"""Small worlds for strategies: two clinics whose days differ in length, and how they are joined."""

from pathlib import Path

import marl_health
from marl_health import HealthParallelEnv
from orchestration.strategies import make_strategy

HERE = Path(__file__).resolve().parents[1]
FILES = {"clinic": HERE / "clinic.yaml", "walk_in": HERE / "walk_in.yaml"}
STEPS = {"clinic": 6, "walk_in": 48}


def scenarios():
    """The scenarios, by name."""
    return {name: marl_health.load(file) for name, file in FILES.items()}


def joined(strategy="independent", **cycles):
    """Both worlds, as a strategy joins them; `cycles` shortens their episodes."""
    worlds = {name: HealthParallelEnv(each, max_cycles=cycles.get(name)) for name, each in scenarios().items()}
    return make_strategy(strategy).join(worlds)


def waits(env, **moves):
    """Everybody waits, but for those who are told what to do."""
    return {agent: moves.get(agent, 0) for agent in env.agents}
