"""The nearest name for a slip."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 12  # names listed in one message


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that `name` is most likely a slip of, or None."""
    names = [other for other in allowed if isinstance(other, str)]
    name = str(name)[:60]
    folded = {other.lower().replace("-", "_").replace(" ", "_"): other for other in reversed(names)}
    wanted = name.lower().replace("-", "_").replace(" ", "_")
    if wanted in folded:
        return folded[wanted]
    close = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return the tail of a message about an unknown name.

    Returns:
        Such as ``; did you mean 'ward_bed'? (known: ct_scanner, ed_bay, ...)``; at most 12 names are listed.
    """
    names = sorted({str(other) for other in allowed})
    if not names:
        return ""
    close = nearest(name, names)
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    return f"; did you mean '{close}'? (known: {listed})" if close else f" (known: {listed})"
