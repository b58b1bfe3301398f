"""Lines in which whoever has waited long enough rises: over the other classes of the line, and over other lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.kernel.line import Line

if TYPE_CHECKING:
    from marl_health.kernel.entity import Ticket


class RisingLine(Line):
    """A line whose entities have another priority once they have waited for some time.

    Nothing happens at that moment: it counts when a unit comes free. Within a class nobody overtakes, so the head of a
    class is the first of it to rise.

    Args:
        after: minutes of waiting. to: the priority from then on, lower than the line's.
    """

    __slots__ = ("after", "to")

    def __init__(self, *settings: Any, after: float, to: float, **more: Any) -> None:
        super().__init__(*settings, **more)
        self.after = after
        self.to = to
        if len(self.tickets) > 1:
            self.plain = None  # the short ways know nothing of rising

    @override
    def head(self, now: float) -> bool:
        if len(self.tickets) > 1 and not (self.called and self._called_head()):
            best: tuple[float, Ticket] | None = None
            for cls, waiting in enumerate(self.counts):
                ticket = self._first(cls) if waiting else None
                if ticket is not None and now - ticket[0] >= self.after:
                    claim = (self.discipline.rank(cls, now - ticket[0]), ticket)
                    if best is None or claim < best:
                        best, self.best_class = claim, cls
            if best is not None:
                self.best_ticket = best[1]
                return True
        return super().head(now)

    @override
    def claim(self, now: float) -> tuple[float, float, float]:
        priority, rank, joined = super().claim(now)
        return (self.to if now - joined >= self.after else priority, rank, joined)

    @override
    def _twin(self, index: int, **more: Any) -> Line:
        return super()._twin(index, after=self.after, to=self.to, **more)
