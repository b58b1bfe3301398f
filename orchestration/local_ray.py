"""Ray on this machine, for as long as somebody trains, and without its chatter."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from orchestration.workers import cpus


def quiet() -> None:
    """Settings that Ray reads from the environment: no progress table, no loggers, no folder change."""
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


def quiet_loggers() -> None:
    """Only errors are logged, and of failed trials not even those, since we tell them."""
    import ray.rllib  # noqa: F401  - it sets levels of its own when it is imported

    for name in ("ray", "ray.rllib"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def local_ray(runners: int, folder: Path) -> Iterator[None]:
    """A local Ray for the time of the training, unless one is connected already.

    Where `RAY_ADDRESS` names a cluster, as it does for a job of one, that is connected to instead.

    Ray puts the folder it is started in first on the path of its workers; started in the run's own ``folder``, it
    leaves them no `policies` or `orchestration` of the user's to import instead of ours.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    # The algorithm's own process and its runners take turns, so they may outnumber the CPUs by one.
    own = {"num_cpus": max(cpus(), runners + 1), "include_dashboard": False}
    with contextlib.chdir(folder):
        ray.init(
            **({} if os.environ.get("RAY_ADDRESS") else own),
            logging_level=logging.ERROR,
            log_to_driver=False,
            configure_logging=True,
            # RLlib walks through sets of module names, so that hashing decides who draws which random numbers.
            runtime_env={"env_vars": {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}},
        )
    try:
        yield
    finally:
        ray.shutdown()
