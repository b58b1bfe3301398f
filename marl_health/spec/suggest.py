"""Help with slips: the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 12  # names listed in one message


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that `name` is most likely a slip of, or None."""
    folded = {_folded(other): other for other in reversed(list(allowed))}
    wanted = _folded(name)
    if wanted in folded:
        return folded[wanted]
    swapped = [other for other in folded if len(other) > 1 and sorted(other) == sorted(wanted)]  # "ds" for "sd"
    close = swapped or difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    return str(name)[:60].lower().replace("-", "_").replace(" ", "_")


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return the tail of a message about an unknown name.

    Returns:
        Such as ``; did you mean 'ward_bed'? (known: ct_scanner, ed_bay, ...)``, with at most 12 names listed;
        empty if nothing is allowed.
    """
    names = sorted({str(other) for other in allowed})
    if not names:
        return ""
    close = nearest(name, names)
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    return f"; did you mean '{close}'? (known: {listed})" if close else f" (known: {listed})"
