"""A function over many tasks, in one process or several: the results are the same, and in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Tasks handed out per process before their results are taken: enough to keep all busy, few enough to hold."""


class WorkerError(RuntimeError):
    """A process that ran replications was killed."""


def cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(function: Callable[[T], R], tasks: Iterable[T], jobs: int) -> Generator[R, None, None]:
    """Yield ``function(task)`` for each task, in the order of the tasks.

    Closing the iterator early, or an interrupt, ends the processes at once.

    Args:
        function: a function of a module, as other processes must find it.
        tasks: read as needed; each must be picklable.
        jobs: processes; 1 stays in this one.

    Raises:
        WorkerError: if a process was killed.
    """
    with Workers(jobs) as workers:
        yield from workers.in_order(function, tasks)


class Workers:
    """Processes that stay for several lots of tasks; leaving the context before a lot is finished ends them at once.

    Args:
        jobs: processes, started when first needed; 1 stays in this one.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._before: set[BaseProcess] = set()
        self._whole = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is None:
            return
        if not self._whole:
            for child in set(multiprocessing.active_children()) - self._before:
                child.kill()
        self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def in_order(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[R, None, None]:
        """As the function of this name does."""
        if self._jobs == 1:
            yield from map(function, tasks)
            return
        if self._pool is None:
            self._before = set(multiprocessing.active_children())
            # Fresh processes rather than forks: whoever calls may run threads (a progress bar, torch), which no fork
            # survives.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_end_with_parent)
        self._whole = False
        try:
            remaining = iter(tasks)
            pending: deque[Future[R]] = deque()
            while True:
                with _interrupts_held():
                    for task in islice(remaining, self._jobs * AHEAD - len(pending)):
                        pending.append(self._pool.submit(function, task))
                if not pending:
                    break
                yield pending.popleft().result()
            self._whole = True
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process was killed, perhaps because memory ran out; use fewer of them (--jobs)"
            ) from error


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started meanwhile never see an interrupt, so that only this one tells of it (and ends them)."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Let a worker end when its parent was killed without a chance to say so."""
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
