"""Tickets of those who wait in a line, kept in order in a queue."""

from __future__ import annotations

from bisect import insort
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marl_health.kernel.entity import Ticket


def stand(queue: deque[Ticket], ticket: Ticket) -> None:
    """Put a ticket in its place: at the end for whoever joins now, further to the front for those who joined before."""
    if queue and queue[-1] > ticket:
        insort(queue, ticket)
    else:
        queue.append(ticket)
