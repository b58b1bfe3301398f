"""What goes wrong for a user, and how it is told: in a line that says what to do."""

from __future__ import annotations

import errno
import importlib.util

EXTRAS = {
    "ray": "train",
    "torch": "train",
    "matplotlib": "plot",
    "pandas": "plot",
    "sim_tools": "analysis",
    "pyarrow": "analysis",
    "sqlalchemy": "store",
    "alembic": "store",
    "aiohttp": "cluster",
}
"""Packages that a plain installation lacks, and the extra that brings them."""


class CommandError(Exception):
    """A command cannot go on; the message says why and what to do."""


def missing(package: str) -> str:
    """What to do about a package that is not installed."""
    return f"this needs {package}, which is not installed; pip install 'marl-health[{EXTRAS[package]}]'"


def need(*packages: str) -> None:
    """Make sure that packages are installed before work begins that would end without them.

    Raises:
        CommandError: if one is not.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise CommandError(missing(package))


def told(error: OSError) -> str:
    """An error of the operating system in a line."""
    if error.errno == errno.ENOSPC:
        return f"{error.filename or 'output'}: the disk is full; free some space or write elsewhere"
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason[:1].lower()}{reason[1:]}" if error.filename else reason
