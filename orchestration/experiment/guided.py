"""An RLlib algorithm that evaluates itself, moves through stages, and knows when to end, also after a restart."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune.result import DONE, SHOULD_CHECKPOINT

from orchestration.episodes import Replication, ScenarioRef, Task, run
from orchestration.evaluation.statistics import Estimate, mean_interval
from orchestration.experiment.guide import Guide, Rules
from orchestration.experiment.sampled import SAMPLED, take_episodes
from orchestration.experiment.staged import enter_stage
from policies.rllib.checkpoint import learned_by, save_checkpoint

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm import Algorithm
else:
    Algorithm = object

GUIDE = "guide.json"
"""In a checkpoint of RLlib's: the state of the guide."""

JUDGED = "judged"
"""In a result: what an evaluation found, where there was one."""

STEPS = "num_env_steps_sampled_lifetime"


def replications(scenario: ScenarioRef, policy: str, seeds: Sequence[int]) -> list[Replication]:
    """Replications of a policy, in this process."""
    return [run(Task(scenario, policy, seed)) for seed in seeds]


@dataclass(frozen=True)
class Plan:
    """What a seed is trained by.

    Attributes:
        rules: for the guide.
        scenarios: of every stage; of the only one, where there is no curriculum. What `play` takes.
        seeds: of the replications of an evaluation.
        kept: the folder of policies that were the best when they were evaluated, named by their iteration.
        facts: for their manifests.
        save: writes modules, by role, and facts into a folder.
        play: plays replications of what was saved in a folder.
    """

    rules: Rules
    scenarios: tuple[Any, ...]
    seeds: range
    kept: Path
    facts: Mapping[str, Any]
    save: Callable[[Path, Mapping[str, Any], Mapping[str, Any]], None] = save_checkpoint
    play: Callable[[Any, str, Sequence[int]], list[Replication]] = replications


class Guided(Algorithm):
    """Goes before an algorithm in the order of classes; :func:`guided` puts it there."""

    plan: Plan

    def setup(self, config: Any) -> None:
        """Called by RLlib before the first iteration."""
        began = time.monotonic()
        super().setup(config)
        self.guide = Guide(self.plan.rules)
        self._since = time.monotonic()
        self.guide.seconds = self._since - began  # imitating a policy first is part of training

    def train(self) -> dict[str, Any]:
        """One iteration, and an evaluation if it is time for one.

        Adds to the result `sampled`, the episodes that ended, and `judged`, which says what the evaluation found and
        what follows from it.

        Raises:
            RuntimeError: the environments reported nothing, so there is nothing to learn from.
        """
        result: dict[str, Any] = super().train()
        if "env_runners" not in result:
            raise RuntimeError(
                "no environment reported results in this iteration: the environment runners have failed; "
                "step the environment outside RLlib to see why"
            )
        result[SAMPLED] = [
            told
            for share in self.env_runner_group.foreach_env_runner(
                take_episodes, local_env_runner=self.config.num_env_runners == 0
            )
            for told in share
        ]
        now = time.monotonic()
        if self.guide.spend(int(result[STEPS]), now - self._since):
            result[JUDGED] = self._judge(int(result["training_iteration"]), int(result[STEPS]))
            result[SHOULD_CHECKPOINT] = True
            # Part of the wall clock; the next iteration alone says how long an iteration takes.
            self.guide.seconds += time.monotonic() - now
        self._since = time.monotonic()
        result["kept"], result["best"], result["seconds"] = self.guide.kept, self.guide.best, self.guide.seconds
        result["over"] = self.guide.over
        result[DONE] = bool(result.get(DONE)) or self.guide.over is not None
        return result

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Called by Tune."""
        super().save_checkpoint(checkpoint_dir)
        (Path(checkpoint_dir) / GUIDE).write_text(json.dumps(self.guide.state_dict()), encoding="utf-8")

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        """Called by Tune."""
        super().load_checkpoint(checkpoint_dir)
        self.guide.load_state_dict(json.loads((Path(checkpoint_dir) / GUIDE).read_text(encoding="utf-8")))
        self._enter_stage()

    def _enter_stage(self) -> None:
        stage = self.guide.stage
        self.env_runner_group.foreach_env_runner(lambda runner: enter_stage(runner, stage))

    def _judge(self, iteration: int, env_steps: int) -> dict[str, Any]:
        """Evaluate the greedy policy as it is now, keep it if it is the best, and do what follows."""
        stage = self.guide.stage
        folder = self.plan.kept / str(iteration)
        self._save_policy(folder, iteration, env_steps)
        found = self._play(str(folder), stage)
        estimates = {"return": mean_interval(one.gained for one in found)}
        estimates |= {kpi: mean_interval(one.kpis[kpi] for one in found) for kpi in found[0].kpis}
        verdict = self.guide.judge(iteration, env_steps, {name: each.mean for name, each in estimates.items()})
        if not verdict.best:
            shutil.rmtree(folder)
        decision = verdict.decision
        if decision is not None and decision.stage != decision.before:
            self._enter_stage()
        return {
            "stage": stage,
            "values": {name: _row(each) for name, each in estimates.items()},
            "move": None if decision is None else decision.move,
            "to": None if decision is None else decision.stage,
            "reason": None if decision is None else decision.reason,
        }

    def _save_policy(self, folder: Path, iteration: int, env_steps: int) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        modules, words = learned_by(self)
        self.plan.save(folder, modules, {**self.plan.facts, "iteration": iteration, "env_steps": env_steps, **words})

    def _play(self, policy: str, stage: int) -> list[Replication]:
        """The replications of an evaluation, which the env runners share out."""
        runners, seeds = self.config.num_env_runners, self.plan.seeds
        play, scenario = self.plan.play, self.plan.scenarios[stage]
        shares = self.env_runner_group.foreach_env_runner(
            lambda runner: play(scenario, policy, seeds[max(runner.worker_index - 1, 0) :: max(runners, 1)]),
            local_env_runner=runners == 0,
        )
        found = sorted((one for share in shares for one in share), key=lambda one: one.seed)
        if len(found) != len(seeds):
            raise RuntimeError("an environment runner has failed during an evaluation")
        return found


def guided(algorithm: type[Any], plan: Plan) -> type[Any]:
    """The algorithm, guided by a plan; a class, as `tune.run` wants it. It keeps the algorithm's name."""
    return type(algorithm.__name__, (Guided, algorithm), {"plan": plan})


def settle(kept: Path, iteration: int, checkpoint: Path) -> None:
    """Put the policy of an iteration where the run's checkpoint belongs, and remove the others.

    May be interrupted at any moment and done again.
    """
    if not checkpoint.exists():
        draft = checkpoint.with_name(f".{checkpoint.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(kept / str(iteration), draft)
        os.replace(draft, checkpoint)
    shutil.rmtree(kept, ignore_errors=True)


def _row(estimate: Estimate) -> list[float]:
    return [estimate.mean, estimate.low, estimate.high, estimate.n]
