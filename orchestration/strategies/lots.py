"""What an experiment trains at once, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marl_health import Scenario
from orchestration.strategies import Strategy, make_strategy
from orchestration.strategies.ensemble import Ensemble

if TYPE_CHECKING:
    from orchestration.experiment.reading import Experiment


@dataclass(frozen=True)
class Lot:
    """What one job trains: a workflow, or all of those that learn together.

    Attributes:
        name: the workflow's; empty where the experiment has one job for each seed.
        workflows: name and scenario of each.
        strategy: of the experiment, if it has several workflows.
        follows: the lot whose policies this one begins with, if it does.
    """

    name: str
    workflows: dict[str, Scenario]
    strategy: Strategy | None = None
    follows: Lot | None = None

    @property
    def first(self) -> Scenario:
        """The first scenario; the only one where there are no others."""
        return next(iter(self.workflows.values()))

    @property
    def ensemble(self) -> Ensemble | None:
        """The workflows as they act together, where they learn together."""
        if self.strategy is None or not self.strategy.together:
            return None
        return Ensemble.of(self.strategy.name, list(self.workflows.values()))


def lots_of(experiment: Experiment) -> list[Lot]:
    """What the experiment trains for each seed, in order."""
    if experiment.model.strategy is None:
        return [Lot("", experiment.workflows)]
    strategy = make_strategy(experiment.model.strategy)
    if strategy.together:
        return [Lot("", experiment.workflows, strategy)]
    lots: list[Lot] = []
    for name, scenario in experiment.workflows.items():
        before = lots[-1] if lots and strategy.passes_on else None
        lots.append(Lot(name, {name: scenario}, strategy, before))
    return lots
