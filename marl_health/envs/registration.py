"""Registers every packaged scenario with PettingZoo, and those with a single agent with Gymnasium too."""


def register_all() -> None:
    """Register the packaged scenarios."""
