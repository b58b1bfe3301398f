"""Which process has a job, and whether it still lives."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process, named so that no other one is ever meant.

    Attributes:
        host: the machine's name, for people.
        machine: within which process ids can be compared: one boot of a machine, and one container on it.
        pid: process id, which is used again in time.
        started: when it was started, as the system writes it; with the id it is unique. Empty if it cannot be told.
    """

    host: str
    machine: str
    pid: int
    started: str

    @property
    def alive(self) -> bool | None:
        """Whether it still runs; None if that cannot be told from here."""
        if self.machine != _machine() or not self.started:
            return None
        started = _started(self.pid)
        if not started and _hidden(self.pid):
            return None
        return started == self.started


def this_process() -> Process:
    """The process that asks."""
    return Process(socket.gethostname(), _machine(), os.getpid(), _started(os.getpid()))


@cache
def _machine() -> str:
    name = socket.gethostname()
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # Containers of one host share the boot; each counts its processes on its own.
        return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"
    except OSError:
        return name


def _hidden(pid: int) -> bool:
    """Whether there is such a process of somebody else, of which the system tells nothing."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _started(pid: int) -> str:
    """When a process was started; empty if there is none, or if it ended and only waits for its parent to notice."""
    if (PROC / "self/stat").exists():
        try:
            facts = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        fields = facts.rpartition(")")[2].split()  # the name before it may hold anything
        return "" if fields[0] in "ZX" else fields[19]
    try:
        asked = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    state, _, started = asked.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()[:64]
