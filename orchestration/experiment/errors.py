"""What goes wrong with training, and what to do."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """Training could not be completed; the message says why."""
