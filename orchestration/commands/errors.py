"""What goes wrong for a user is told in a line on stderr, with exit code 1; never as a traceback."""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from marl_health import ScenarioError
from orchestration.workers import WorkerError
from policies import PolicyError

EXTRAS = {
    "ray": "train",
    "torch": "train",
    "matplotlib": "plot",
    "pandas": "plot",
    "sim_tools": "analysis",
    "pyarrow": "analysis",
    "sqlalchemy": "store",
    "alembic": "store",
}
"""Packages that a plain installation lacks, and the extra that brings them."""


class CommandError(Exception):
    """A command cannot go on; the message says why and what to do."""


def fail(message: str) -> NoReturn:
    """Tell what is wrong and end with exit code 1."""
    print(message, file=sys.stderr)
    raise typer.Exit(1)


class Commands(TyperGroup):
    """The commands; whatever a user can cause is told in plain words."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a full disk can still be told
            return result
        except ScenarioError as error:
            fail(str(error))
        except (CommandError, PolicyError, WorkerError) as error:
            fail(f"marl-health: {error}")
        except KeyboardInterrupt:
            fail("marl-health: interrupted")
        except MemoryError:
            fail("marl-health: out of memory; fewer --jobs or fewer replications need less")
        except BrokenPipeError:
            _drop_stdout()  # whoever read it has left, as `head` does
            raise typer.Exit(1) from None
        except OSError as error:
            if error.filename is None:
                _drop_stdout()
            fail(f"marl-health: {told(error)}")
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in EXTRAS:
                raise
            fail(f"marl-health: {missing(package)}")


def _drop_stdout() -> None:
    """Send what is left in the buffer of stdout nowhere, or Python would complain of it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
