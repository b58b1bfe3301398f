"""Guides the training of a seed: when it is evaluated, what is best, which stage it is at, and when it ends.

Nothing here knows of Ray. The state belongs into the checkpoint of what is trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.curriculum.criteria import Criterion
from orchestration.curriculum.machine import Curriculum, Decision, Evaluation, Stage
from orchestration.experiment.stopping import Stopping


@dataclass(frozen=True)
class Rules:
    """What guides the training of every seed.

    Attributes:
        every: steps between two evaluations.
        steps: of training in all, if they are limited. seconds: of wall clock, if they are.
        stages: of a curriculum; empty if there is none.
        success: what is good enough, if training ends then.
        without_progress: evaluations in a row without a new best after which it ends, if it does.
    """

    every: int
    steps: int | None = None
    seconds: float | None = None
    stages: tuple[Stage, ...] = ()
    success: Criterion | None = None
    without_progress: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What follows from an evaluation.

    Attributes:
        best: whether the return is the best so far, at this stage.
        decision: of the curriculum, if there is one.
        over: why training ends, if it does.
    """

    best: bool
    decision: Decision | None
    over: str | None


class Guide:
    """Told how far training has come and what evaluations found.

    Attributes:
        kept: which policy is kept, by the iteration that made it; None before the first evaluation.
        best: its return when it was evaluated. seconds: of wall clock that training has taken.
        over: why training has ended, if it has.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._curriculum = Curriculum(rules.stages) if rules.stages else None
        self._stopping = Stopping(rules.success, rules.without_progress)
        self._due_at = 0
        self._best_here = -math.inf
        self.kept: int | None = None
        self.best = -math.inf
        self.seconds = 0.0
        self.over: str | None = None

    @property
    def stage(self) -> int:
        """Number of the stage to train on; 0 without a curriculum."""
        if self._curriculum is None:
            return 0
        return self._rules.stages.index(self._curriculum.stage)

    def spend(self, env_steps: int, seconds: float) -> bool:
        """Take note of an iteration, and say whether to evaluate now.

        Where another iteration of this length would overrun the time, training is over.

        Args:
            env_steps: of training so far.
            seconds: that the iteration took.
        """
        self.seconds += seconds
        if self._rules.steps is not None and env_steps >= self._rules.steps:
            self.over = f"its {self._rules.steps:,} steps are used up"
        elif self._rules.seconds is not None and self.seconds + seconds > self._rules.seconds:
            self.over = f"its {self._rules.seconds / 60:g} minutes are used up"
        return self.over is not None or env_steps >= self._due_at

    def judge(self, iteration: int, env_steps: int, values: Mapping[str, float]) -> Verdict:
        """Take note of an evaluation.

        Args:
            iteration: of training, whose policy was evaluated.
            env_steps: so far.
            values: of the return and of KPIs, by name.
        """
        self._due_at = (env_steps // self._rules.every + 1) * self._rules.every
        best = self.kept is None or values["return"] > self._best_here
        if best:
            self.kept, self.best = iteration, values["return"]
            self._best_here = -math.inf if math.isnan(values["return"]) else values["return"]
        decision = None
        over = self._stopping.record(values)
        if self._curriculum is not None:
            decision = self._curriculum.record(Evaluation(env_steps, values))
            if decision.move == "finish":
                over = f"the curriculum is finished: {decision.reason}"
            elif decision.move != "stay":
                self._stopping.enter_stage()
                self._best_here, over = -math.inf, None
        self.over = self.over or over
        return Verdict(best, decision, self.over)

    def state_dict(self) -> dict[str, Any]:
        """All that decisions depend on but the rules; JSON."""
        return {
            "stopping": self._stopping.state_dict(),
            "curriculum": None if self._curriculum is None else self._curriculum.state_dict(),
            "due_at": self._due_at,
            "best_here": None if self._best_here == -math.inf else self._best_here,
            "kept": self.kept,
            "best": None if self.kept is None else self.best,
            "seconds": self.seconds,
            "over": self.over,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._stopping.load_state_dict(state["stopping"])
        if self._curriculum is not None:
            self._curriculum.load_state_dict(state["curriculum"])
        self._due_at, self.seconds = int(state["due_at"]), float(state["seconds"])
        self._best_here = -math.inf if state["best_here"] is None else float(state["best_here"])
        self.kept, self.over = state["kept"], state["over"]
        self.best = -math.inf if state["best"] is None else float(state["best"])
