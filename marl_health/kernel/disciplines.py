"""Disciplines: which class of a line is served next."""

from __future__ import annotations

from typing import Protocol


class Discipline(Protocol):
    """Ranks classes; the lowest (rank, time of joining) among the class heads goes first.

    Attributes:
        sequence: the classes from first to last where that order is strict and never changes, else ``None``. It says
            no more than ``rank`` does, but spares the comparison of all heads.
    """

    sequence: tuple[int, ...] | None

    def rank(self, cls: int, waited: float) -> float:
        """Rank of a class whose head has waited so many minutes."""


class FirstCome:
    """First come, first served, whatever the class."""

    sequence: tuple[int, ...] | None = None

    def rank(self, cls: int, waited: float) -> float:
        """The same for all, so that the time of joining decides."""
        return 0.0


class ByClass:
    """Strict priority: classes in a given order (acuity, shortest expected service, c-mu: all are class orders).

    Args:
        order: rank of each class, by class index; lower goes first.
    """

    def __init__(self, order: tuple[float, ...]) -> None:
        self.order = order
        self.sequence: tuple[int, ...] | None = None
        if len(set(order)) == len(order):
            self.sequence = tuple(sorted(range(len(order)), key=order.__getitem__))

    def rank(self, cls: int, waited: float) -> float:
        """The class's fixed rank."""
        return self.order[cls]


class Ageing:
    """Accumulating priority: each class gains urgency at its own rate while its head waits.

    Args:
        rates: urgency per minute, by class index.
    """

    sequence: tuple[int, ...] | None = None

    def __init__(self, rates: tuple[float, ...]) -> None:
        self.rates = rates

    def rank(self, cls: int, waited: float) -> float:
        """Minus the urgency accumulated so far."""
        return -self.rates[cls] * waited
