"""Several workflows under one strategy: they act side by side, one decision at a time, and are trained.

orchestrator = Orchestrator("hierarchical")
orchestrator.register(Workflow(load("clinic.yaml"), policy="rule"))
orchestrator.register(Workflow(load("ward.yaml")))
happened = orchestrator.coordinate_step()  # one decision of every workflow
outcomes = orchestrator.train("mappo", steps=100_000, seeds=3)  # from here on they act as they have learned
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import policies
from marl_health import HealthParallelEnv, Scenario
from marl_health.spec.components import COMPONENTS
from marl_health.spec.document import parse_document
from orchestration.episodes import own_seed
from orchestration.strategies import make_strategy
from orchestration.strategies.base import COORDINATOR, StrategyError, names_of
from orchestration.strategies.cast import Cast, own_part

if TYPE_CHECKING:
    from rich.console import Console

    from orchestration.experiment.running import Outcome
    from orchestration.store import Store


@dataclass(frozen=True)
class Workflow:
    """A scenario and who acts in it.

    Attributes:
        scenario: loaded.
        policy: as :func:`policies.make` names it: acts for all its agents until it is trained.
    """

    scenario: Scenario
    policy: str = "wait"


@dataclass(frozen=True)
class Happened:
    """One decision of a workflow, and what came of it.

    Attributes:
        seed: of its episode. decision: which in this episode, from 1.
        actions: by agent. rewards: by agent, as the strategy pays them.
        terms: by component, what the workflow gained by its own score.
        weights: by component, what it weighed in those rewards, where a coordinator sets that.
        minutes: that passed. over: whether the episode has ended; the next step begins another.
    """

    seed: int
    decision: int
    actions: dict[str, int]
    rewards: dict[str, float]
    terms: dict[str, float]
    weights: dict[str, float]
    minutes: float
    over: bool


class Orchestrator:
    """Runs workflows that are registered with it.

    Args:
        strategy: `independent`, `sequential`, `hierarchical` or `coordinated`.
        coordinator: the policy of the coordinator, if the strategy has one, until it is trained.
        seed: starts the episodes of :meth:`coordinate_step`.

    Raises:
        StrategyError: there is no such strategy.
    """

    def __init__(self, strategy: str = "independent", *, coordinator: str = "wait", seed: int = 0) -> None:
        self.strategy = make_strategy(strategy)
        self._leads = coordinator
        self._seed = seed
        self._workflows: list[Workflow] = []
        self._acting: dict[str, str] = {}
        self._env: Any = None

    @property
    def workflows(self) -> dict[str, Workflow]:
        """Those that are registered, by name."""
        names = names_of([workflow.scenario.name for workflow in self._workflows])
        return dict(zip(names, self._workflows, strict=True))

    @property
    def policies(self) -> dict[str, str]:
        """By workflow, whose policy acts now; the coordinator's too, where there is one."""
        named = {name: self._acting.get(name, workflow.policy) for name, workflow in self.workflows.items()}
        if not self.strategy.coordinated:
            return named
        return named | {COORDINATOR: self._acting.get(COORDINATOR, self._leads)}

    def register(self, workflow: Workflow) -> str:
        """Take a workflow in, and say what it is called: as its scenario is, with a number if that is taken.

        Raises:
            StrategyError: nobody decides in it, or workflows are under way already.
            PolicyError: there is no such policy.
        """
        if self._env is not None:
            raise StrategyError("workflows are under way; register all of them before the first coordinate_step()")
        if not workflow.scenario.roles:
            raise StrategyError(
                f"nobody decides in '{workflow.scenario.name}', so that there is nothing to orchestrate"
            )
        policies.check(workflow.policy)
        self._workflows.append(workflow)
        return list(self.workflows)[-1]

    def coordinate_step(self) -> dict[str, Happened]:
        """Advance every workflow by one decision; where an episode has ended, by the first one of the next.

        Raises:
            StrategyError: no workflow is registered.
            PolicyError: a policy cannot act in its workflow.
        """
        if self._env is None:
            self._begin()
        self._restart_ended()
        env, weights = self._env, self._weights()
        actions = self._cast.act(self._observations, self._infos)
        self._observations, rewards, _, _, self._infos = env.step(actions)
        found = {}
        for name, world in env.worlds.items():
            self._decisions[name] += 1
            infos = list(own_part(self._infos, name).values())
            found[name] = Happened(
                seed=self._seeds[name],
                decision=self._decisions[name],
                actions=own_part(actions, name),
                rewards=own_part(rewards, name),
                terms={part: fmean(info["reward_" + part] for info in infos) for part in COMPONENTS},
                weights=weights[name],
                minutes=infos[0]["elapsed_minutes"],
                over=not world.agents,
            )
        return found

    def train(
        self,
        algorithm: str = "mappo",
        *,
        steps: int | None = None,
        minutes: float | None = None,
        seeds: int | list[int] = 1,
        name: str = "",
        settings: Mapping[str, Any] | None = None,
        evaluation: Mapping[str, Any] | None = None,
        out: Path = Path("runs"),
        store: Store | None = None,
        jobs: int = 1,
        console: Console | None = None,
    ) -> list[Outcome]:
        """Train all workflows by the strategy; from then on they act as the first seed has learned.

        It is an experiment, as a file in `experiments/` would be: stored, judged, and gone on with if it was
        interrupted.

        Args:
            algorithm: what learns.
            steps: of each workflow.
            minutes: of each workflow, if that is sooner; one of the two is needed.
            seeds: how many, or which.
            name: of the experiment; default: made of strategy, algorithm and scenarios.
            settings: of RLlib's.
            evaluation: as experiments have it.
            out: runs have their folders in this one.
            store: where results are kept; default: `results.db` in that folder.
            jobs: processes for the evaluations at the end.
            console: where lines go; default: standard error.

        Raises:
            StrategyError: fewer than two workflows are registered.
            ScenarioError: something cannot be trained so; every reason is told.
            TrainingError: training failed.
        """
        from orchestration.experiment.reading import read_experiment
        from orchestration.experiment.running import run_experiment
        from orchestration.store import FILE, open_store

        if len(self._workflows) < 2:
            raise StrategyError("a strategy is for several workflows; register two at least")
        budget = {} if steps is None else {"steps": steps}
        scenarios = [workflow.scenario for workflow in self._workflows]
        called = "_".join([self.strategy.name, algorithm, *(scenario.name for scenario in scenarios)])
        data = {
            "schema": "marl_health/experiment/v1",
            "name": (name or called)[:64],
            "description": f"{algorithm} learns several workflows, by a strategy called {self.strategy.name}.",
            "scenarios": [{"scenario": str(each.file), "with": dict(each.chosen)} for each in scenarios],
            "strategy": self.strategy.name,
            "algorithm": {"name": algorithm, "settings": dict(settings or {})},
            "seeds": seeds,
            "budget": budget if minutes is None else {**budget, "time": f"{minutes:g} min"},
            "evaluation": dict(evaluation or {}),
        }
        experiment = read_experiment(parse_document(json.dumps(data), "orchestrator"))
        if store is not None:
            outcomes = run_experiment(experiment, store, out, jobs=jobs, console=console)
        else:
            out.mkdir(parents=True, exist_ok=True)
            with open_store(out / FILE) as opened:
                outcomes = run_experiment(experiment, opened, out, jobs=jobs, console=console)
        self._use([outcome for outcome in outcomes if outcome.seed == outcomes[0].seed])
        return outcomes

    def _use(self, outcomes: list[Outcome]) -> None:
        """Let everybody act as they have learned, from their next episodes on."""
        for outcome in outcomes:
            parts = [*outcome.reports, *([COORDINATOR] if self.strategy.coordinated else [])]
            for part in parts:
                folder = outcome.checkpoint / part if self.strategy.together else outcome.checkpoint
                self._acting[part] = str(folder)
        self._env = None

    def _begin(self) -> None:
        if not self._workflows:
            raise StrategyError("no workflow is registered; register(Workflow(scenario)) first")
        worlds = {name: HealthParallelEnv(workflow.scenario) for name, workflow in self.workflows.items()}
        self._env = self.strategy.join(worlds)
        made = {name: policies.make(spec) for name, spec in self.policies.items()}
        self._cast = Cast(self._env, made, made.pop(COORDINATOR, None))
        self._seeds = {name: self._seed + number for number, name in enumerate(worlds)}
        self._decisions = dict.fromkeys(worlds, 0)
        self._observations, self._infos = self._env.reset(options={"seeds": dict(self._seeds)})
        self._cast.begin_coordinator(own_seed(COORDINATOR, self._seed))
        for name in worlds:
            self._cast.begin(name, own_seed(name, self._seeds[name]))

    def _restart_ended(self) -> None:
        for name, world in self._env.worlds.items():
            if not world.agents:
                self._seeds[name] += len(self._workflows)  # no two workflows ever have the same seed
                self._decisions[name] = 0
                observations, infos = self._env.restart(name, self._seeds[name])
                self._observations, self._infos = self._observations | observations, self._infos | infos
                self._cast.begin(name, own_seed(name, self._seeds[name]))

    def _weights(self) -> dict[str, dict[str, float]]:
        """By workflow, the weights that the next decision is made under."""
        return {
            name: {component: 2.0**power for component, power in getattr(world, "powers", {}).items()}
            for name, world in self._env.worlds.items()
        }
