"""What goes wrong for a user is told in a line on stderr, with exit code 1; never as a traceback."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from marl_health import ScenarioError
from orchestration.errors import EXTRAS, CommandError, missing, told
from orchestration.workers import WorkerError
from policies import PolicyError


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
