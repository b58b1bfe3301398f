"""The result store: which jobs ran, on what, with what result, and whether they are alive.

    with open_store("runs/results.db") as store:
        with store.job(scenario=load("hospital_throughput"), algorithm="mappo", seed=3, experiment="first") as job:
            job.episode(-43.2, seed=7, env_steps=2304)
            job.comparison(comparison)
        store.kpis(metric="return").frame()

What a job is told is stored before the call returns, so that killing the process loses nothing of it. A job says every
few seconds that it lives; whoever opens the store next marks those whose process is gone as interrupted.
"""

from orchestration.store.address import FILE
from orchestration.store.errors import JobTakenError, StoreError
from orchestration.store.job import Job
from orchestration.store.queries import Rows
from orchestration.store.rows import Episode
from orchestration.store.store import DEFAULT, Store, open_store

__all__ = ["DEFAULT", "FILE", "Episode", "Job", "JobTakenError", "Rows", "Store", "StoreError", "open_store"]
