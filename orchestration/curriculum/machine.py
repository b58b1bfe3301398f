"""The curriculum as a state machine: it is told evaluations, and says whether to stay, move on, or go back.

A stage is left forwards when its success has lasted: as many evaluations in a row as it asks for. It is left backwards
when performance has fallen: as many in a row worse than a second level. Three things keep it from flapping between two
stages (hysteresis):

* the level for going back is worse than the level for moving on, and between the two nothing happens;
* nobody leaves a stage, in either direction, before its minimum of steps has passed since it was entered; the
  evaluations that count are those since then;
* nobody goes back while the trend is clearly for the better: the 95% interval of its slope excludes 0.

A stage's maximum of steps counts all visits together. When it is used up, training moves on whether or not it
succeeded, and the stage is never gone back to; so a curriculum whose stages all have a maximum ends.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from orchestration.curriculum.trend import Trend, trend_of

Move = Literal["stay", "promote", "regress", "finish"]

RECENT = 10
"""Evaluations that a trend is made of."""


class CurriculumError(ValueError):
    """The curriculum was told something that cannot be; the message says what, and what to do."""


@dataclass(frozen=True)
class Stage:
    """One stage, its levels in the units of its metric.

    Attributes:
        name: of the stage.
        metric: a KPI, or `return`; None if the stage only lasts for its steps.
        higher_is_better: which way is better.
        success: the level for moving on. in_a_row: how many evaluations have to reach it.
        fall: the level for going back, if that is possible. falls_in_a_row: how many have to be worse.
        at_least: steps before anybody leaves it. at_most: steps, of all visits, after which it is left anyway.
    """

    name: str
    metric: str | None = None
    higher_is_better: bool = True
    success: float = math.inf
    in_a_row: int = 1
    fall: float | None = None
    falls_in_a_row: int = 1
    at_least: int = 0
    at_most: int | None = None

    def succeeds(self, value: float) -> bool:
        """Whether a value is good enough for moving on."""
        return value >= self.success if self.higher_is_better else value <= self.success

    def falls(self, value: float) -> bool:
        """Whether a value is bad enough for going back."""
        if self.fall is None:
            return False
        return value < self.fall if self.higher_is_better else value > self.fall


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found: values of KPIs and the `return`, after so many steps of training in all."""

    env_steps: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Decision:
    """What follows from an evaluation.

    Attributes:
        move: what to do. Nothing follows `finish`.
        before: the stage that was evaluated. stage: the one to train on from now on.
        succeeded: whether the stage that is left was mastered; False if only its steps are used up.
        reason: for people.
        trend: of the evaluations since the stage was entered.
    """

    move: Move
    before: str
    stage: str
    succeeded: bool
    reason: str
    trend: Trend


class Curriculum:
    """Where training is among its stages.

    The state belongs into the checkpoint of what is trained: whoever goes back to a checkpoint goes back to the state
    that was saved with it, and comes to the same decisions again.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        if not stages:
            raise CurriculumError("a curriculum needs at least one stage")
        self._stages = tuple(stages)
        self._index = 0
        self._finished = False
        self._env_steps = 0
        self._entered_at = 0
        self._used = dict.fromkeys((stage.name for stage in stages), 0)
        self._recent: list[tuple[int, float]] = []

    @property
    def stage(self) -> Stage:
        """The stage to train on."""
        return self._stages[self._index]

    @property
    def finished(self) -> bool:
        """Whether the last stage was left."""
        return self._finished

    @property
    def trend(self) -> Trend:
        """Of the latest evaluations since the stage was entered."""
        return trend_of(self._recent[-RECENT:])

    def record(self, evaluation: Evaluation) -> Decision:
        """Take note of an evaluation of the stage, and decide.

        An evaluation in which the stage's metric was not recorded (nan) says nothing of success; its steps count.
        After the end, every decision is to stay.

        Raises:
            CurriculumError: its steps lie before those of the last one, or it lacks the metric of the stage.
        """
        if evaluation.env_steps < self._env_steps:
            raise CurriculumError(
                f"an evaluation after {evaluation.env_steps} steps follows one after {self._env_steps}; "
                "restore the curriculum's state from the checkpoint that training was resumed from"
            )
        stage = self.stage
        if stage.metric is not None and stage.metric not in evaluation.values:
            raise CurriculumError(f"stage '{stage.name}' is judged by {stage.metric}, which was not evaluated")
        if self._finished:
            return self._decided("stay", False, "the curriculum is finished")
        self._used[stage.name] += evaluation.env_steps - self._env_steps
        self._env_steps = evaluation.env_steps
        value = math.nan if stage.metric is None else float(evaluation.values[stage.metric])
        if not math.isnan(value):
            self._recent.append((evaluation.env_steps, value))
            del self._recent[: -max(RECENT, stage.in_a_row, stage.falls_in_a_row)]
        return self._decide(stage)

    def _decide(self, stage: Stage) -> Decision:
        values = [value for _, value in self._recent]
        mastered = stage.metric is not None and _last(values, stage.in_a_row, stage.succeeds)
        if stage.at_most is not None and self._used[stage.name] >= stage.at_most:
            reason = f"its {stage.at_most} steps are used up"
            return self._onwards(mastered, reason if not mastered else f"{_mastered(stage)}, and {reason}")
        if self._env_steps - self._entered_at < stage.at_least:
            return self._decided("stay", False, f"it lasts for at least {stage.at_least} steps")
        if mastered:
            return self._onwards(True, _mastered(stage))
        if _last(values, stage.falls_in_a_row, stage.falls):
            return self._back(stage)
        return self._decided("stay", False, "neither mastered nor lost")

    def _onwards(self, succeeded: bool, reason: str) -> Decision:
        if self._index + 1 == len(self._stages):
            self._finished = True
            return self._decided("finish", succeeded, reason)
        return self._enter(self._index + 1, "promote", succeeded, reason)

    def _back(self, stage: Stage) -> Decision:
        if self._index == 0:
            return self._decided("stay", False, "there is no stage to go back to")
        before = self._stages[self._index - 1]
        if before.at_most is not None and self._used[before.name] >= before.at_most:
            return self._decided("stay", False, f"the steps of stage '{before.name}' are used up")
        trend = self.trend
        if trend.low > 0 if stage.higher_is_better else trend.high < 0:
            return self._decided("stay", False, "performance is low, but clearly on its way up")
        reason = f"{stage.metric} was worse than {stage.fall:g} {_times(stage.falls_in_a_row)}"
        return self._enter(self._index - 1, "regress", False, reason)

    def _enter(self, index: int, move: Move, succeeded: bool, reason: str) -> Decision:
        decision = self._decided(move, succeeded, reason, self._stages[index].name)
        self._index = index
        self._entered_at = self._env_steps
        self._recent = []
        return decision

    def _decided(self, move: Move, succeeded: bool, reason: str, to: str | None = None) -> Decision:
        here = self.stage.name
        return Decision(move, here, to or here, succeeded, reason, self.trend)

    # ------------------------------------------------------------ a state that survives a restart

    def state_dict(self) -> dict[str, Any]:
        """All that decisions depend on but the stages themselves; JSON."""
        return {
            "format": 1,
            "stages": self._fingerprint(),
            "stage": self.stage.name,
            "finished": self._finished,
            "env_steps": self._env_steps,
            "entered_at": self._entered_at,
            "used": dict(self._used),
            "recent": [list(pair) for pair in self._recent],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            CurriculumError: it belongs to other stages, or is none.
        """
        try:
            if state["format"] != 1 or state["stages"] != self._fingerprint():
                raise CurriculumError(
                    "this state belongs to other stages than these; put the old curriculum back, or start anew"
                )
            index = [stage.name for stage in self._stages].index(state["stage"])
            used = {stage.name: int(state["used"][stage.name]) for stage in self._stages}
            recent = [(int(steps), float(value)) for steps, value in state["recent"]]
            finished, env_steps, entered_at = bool(state["finished"]), int(state["env_steps"]), int(state["entered_at"])
        except (KeyError, TypeError, AttributeError) as error:
            raise CurriculumError(f"this is no state of a curriculum: {error!r}") from error
        self._index, self._used, self._recent = index, used, recent
        self._finished, self._env_steps, self._entered_at = finished, env_steps, entered_at

    def _fingerprint(self) -> str:
        told = json.dumps([asdict(stage) for stage in self._stages], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]


def _last(values: Sequence[float], count: int, test: Any) -> bool:
    """Whether so many values at the end all pass a test."""
    return len(values) >= count and all(map(test, values[-count:]))


def _mastered(stage: Stage) -> str:
    word = "at least" if stage.higher_is_better else "at most"
    return f"{stage.metric} was {word} {stage.success:g} {_times(stage.in_a_row)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row"
