"""When training ends before its budget does: it is good enough, or gets no better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestration.curriculum.criteria import Criterion


class Stopping:
    """Told every evaluation, says whether training should end.

    Progress is a new best return. With a curriculum it is counted anew at each stage (:meth:`enter_stage`): returns of
    two stages cannot be compared.

    Args:
        success: what is good enough, if training ends then.
        without_progress: evaluations in a row without a new best after which it ends, if it does.
    """

    def __init__(self, success: Criterion | None = None, without_progress: int | None = None) -> None:
        self._success = success
        self._patience = without_progress
        self._best = -math.inf
        self._since_best = 0
        self._successes = 0

    def record(self, values: Mapping[str, float]) -> str | None:
        """Take note of an evaluation.

        A value that was not recorded (nan) is neither a success nor progress.

        Args:
            values: of the return and of KPIs, by name.

        Returns:
            Why training should end, or None.
        """
        if values["return"] > self._best:
            self._best, self._since_best = values["return"], 0
        else:
            self._since_best += 1
        if self._success is not None:
            self._successes = self._successes + 1 if self._success.reached(values[self._success.metric]) else 0
            if self._successes >= self._success.in_a_row:
                return f"{self._success.metric} was good enough {self._successes} times in a row"
        if self._patience is not None and self._since_best >= self._patience:
            return f"no new best return in {self._since_best} evaluations"
        return None

    def enter_stage(self) -> None:
        """Begin to count anew."""
        self._best, self._since_best, self._successes = -math.inf, 0, 0

    def state_dict(self) -> dict[str, Any]:
        """All that decisions depend on but the rule itself; JSON."""
        best = None if self._best == -math.inf else self._best
        return {"best": best, "since_best": self._since_best, "successes": self._successes}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._best = -math.inf if state["best"] is None else float(state["best"])
        self._since_best, self._successes = int(state["since_best"]), int(state["successes"])
