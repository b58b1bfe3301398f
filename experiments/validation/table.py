"""What a validation tells: a row per quantity, ours beside an exact or published value, with a verdict.

A group of systems is a function ``rows(jobs, told)``. It runs its replications in ``jobs`` processes, with results that
do not depend on how many, calls ``told`` with the share of its work that is done, from 0 to 1, and returns its rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from orchestration.evaluation.statistics import LEVEL, t_quantile

MOST_ERRORS = 3.66
"""Standard errors within which ours must lie: 1% to reject one of forty true values, if errors are normal."""


@dataclass(frozen=True)
class Row:
    """One quantity of one system.

    Attributes:
        system, quantity: what it is, with the unit of the quantity.
        target: the value that ours must agree with.
        basis: where the target comes from: ``exact`` or ``published``.
        ours, low, high: our estimate and its 95% interval, in the same unit.
        z: (ours - target) in standard errors, of the difference where the target has one too; nan if it has no meaning.
        passes: the verdict.
        precise: greatest half-width allowed, as a share of the target; None if none is asked for.
        note: anything else a reader should know, in a few words.
        unlike: why theirs is known to be another quantity; then passing only says that the two are not far apart.
    """

    system: str
    quantity: str
    target: float
    basis: str
    ours: float
    low: float
    high: float
    z: float
    passes: bool
    precise: float | None = None
    note: str = ""
    unlike: str = ""

    @property
    def half_width(self) -> float:
        """Half of the interval's width, as a share of the target."""
        return (self.high - self.low) / 2 / abs(self.target) if self.target else math.inf

    def __str__(self) -> str:
        return (
            f"{self.system}, {self.quantity}: {self.ours:.6g} ± {self.half_width:.2%}, {self.basis} {self.target:.6g}, "
            f"{self.z:+.2f} standard errors{f' ({self.note})' if self.note else ''}"
        )


Told = Callable[[float], None]
"""Is called with the share of the work that is done."""


class Group(NamedTuple):
    """Systems that are validated in the same way."""

    title: str
    rows: Callable[[int, Told], Sequence[Row]]


def judged(
    system: str,
    quantity: str,
    target: float,
    ours: float,
    error: float,
    degrees: int,
    *,
    basis: str = "exact",
    target_error: float = 0.0,
    precise: float | None = None,
    note: str = "",
    unlike: str = "",
) -> Row:
    """The row of a mean: it passes within 3.66 standard errors, if its interval is as narrow as asked for.

    Args:
        system: what it is about.
        quantity: what was measured, with its unit.
        target: the exact or published value.
        ours: our estimate.
        error: its standard error.
        degrees: degrees of freedom of the error, for the interval.
        basis: ``exact`` or ``published``.
        target_error: standard error of a published value that is itself an estimate.
        precise: greatest half-width of our interval, as a share of the target.
        note: anything else a reader should know.
        unlike: why the target is known to be another quantity, if it is.
    """
    half = t_quantile(0.5 + LEVEL / 2, degrees) * error
    combined = math.hypot(error, target_error)
    z = (ours - target) / combined if combined else math.copysign(math.inf, ours - target) if ours != target else 0.0
    passes = abs(z) <= MOST_ERRORS and (precise is None or half <= precise * abs(target))
    return Row(system, quantity, target, basis, ours, ours - half, ours + half, z, passes, precise, note, unlike)


def table(groups: dict[str, Sequence[Row]]) -> Table:
    """All rows, by the title of their group."""
    shown = Table(title="Validation: ours beside exact and published values", title_justify="left")
    for heading in ("system", "quantity"):
        shown.add_column(heading)
    for heading in ("exact or\npublished", "ours", "95% interval", "± %", "z"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("verdict")
    for title, rows in groups.items():
        shown.add_section()
        shown.add_row(Text(title, style="bold"))
        before = ""
        for row in rows:
            shown.add_row(
                Text("" if row.system == before else row.system),
                Text(row.quantity),
                f"{row.target:.5g}{' pub.' if row.basis == 'published' else ''}",
                f"{row.ours:.5g}",
                f"{row.low:.5g} to {row.high:.5g}",
                f"{100 * row.half_width:.2f}" if math.isfinite(row.half_width) else "–",
                f"{row.z:+.2f}" if not math.isnan(row.z) else "–",
                verdict(row),
            )
            before = row.system
    return shown


def verdict(row: Row) -> Text:
    """Whether a row passes, why not if it does not, and its note."""
    if row.passes and row.unlike:
        return Text(f"not the same ({row.unlike})", style="yellow")
    if row.passes:
        said = Text("agrees", style="green")
    elif row.precise is not None and row.half_width > row.precise:
        said = Text("TOO IMPRECISE", style="red")
    else:
        said = Text("DIFFERS", style="red")
    return said.append(f" ({row.note})", style="default") if row.note else said


def summary(rows: Sequence[Row]) -> str:
    """How many agree, how many fail, and how many stand beside something that is not the same."""
    failed = sum(not row.passes for row in rows)
    unlike = sum(bool(row.unlike) and row.passes for row in rows)
    said = [f"{len(rows) - failed - unlike} agree"]
    said += [f"{unlike} not the same as theirs, for a known reason"] if unlike else []
    said += [f"{failed} FAILED"] if failed else []
    return f"{len(rows)} quantities: {', '.join(said)}."


def as_data(groups: dict[str, Sequence[Row]]) -> dict[str, Any]:
    """Everything in the table as plain data."""
    return {
        "passes": all(row.passes for rows in groups.values() for row in rows),
        "most_standard_errors": MOST_ERRORS,
        "groups": [
            {"title": title, "rows": [asdict(row) | {"half_width": row.half_width} for row in rows]}
            for title, rows in groups.items()
        ],
    }
