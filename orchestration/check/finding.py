"""What the check found, point by point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        point: 1 to 6. what: it was. figure: what came out, for people. passed: whether it is as it must be.
        data: what came out, for programs.
    """

    point: int
    what: str
    figure: str
    passed: bool
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the result."""
        return {"point": self.point, "what": self.what, "figure": self.figure, "passed": self.passed, **self.data}
