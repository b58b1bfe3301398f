"""Strategies in which every workflow learns in an environment of its own."""

from __future__ import annotations

from orchestration.strategies.base import Strategy


class Independent(Strategy):
    """Every workflow is trained on its own, from nothing."""

    name = "independent"


class Sequential(Strategy):
    """One workflow after the other; each begins with the policies of the one before, where shapes allow."""

    name = "sequential"
    passes_on = True
