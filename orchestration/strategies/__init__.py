"""Strategies by which several workflows are trained and act together."""

from __future__ import annotations

from marl_health.spec.suggest import did_you_mean
from orchestration.strategies.alone import Independent, Sequential
from orchestration.strategies.base import Strategy, StrategyError
from orchestration.strategies.coordinated import Coordinated
from orchestration.strategies.hierarchical import Hierarchical

STRATEGIES: dict[str, type[Strategy]] = {
    kind.name: kind for kind in (Independent, Sequential, Hierarchical, Coordinated)
}
"""By name."""


def make_strategy(name: str) -> Strategy:
    """The strategy of this name.

    Raises:
        StrategyError: there is none; the message has the nearest name.
    """
    if name not in STRATEGIES:
        raise StrategyError(f"there is no strategy '{name}'{did_you_mean(name, STRATEGIES)}")
    return STRATEGIES[name]()


__all__ = ["STRATEGIES", "Strategy", "StrategyError", "make_strategy"]
