"""Reads an experiment, and everything that it names, so that what is wrong is told before anything starts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import policies
from marl_health import Scenario, load, parallel_env
from marl_health.spec.complaints import allowed_fields, validation_problems
from marl_health.spec.document import Document, load_document
from marl_health.spec.errors import Problem, ScenarioError, Where, shown
from marl_health.spec.scenario import is_there
from marl_health.spec.suggest import did_you_mean
from orchestration.curriculum.criteria import Criterion, read_criterion
from orchestration.curriculum.reading import Course, read_course
from orchestration.experiment.model import FOR_A_TEAM, ExperimentModel, ScenarioEntry
from orchestration.strategies import Strategy, make_strategy
from orchestration.strategies.base import names_of
from policies.registry import rule_of

FORMAT = "marl_health/experiment/"

PACKAGED = Path(__file__).resolve().parent.parent.parent / "experiments"
"""Where the experiments of the distribution lie."""


@dataclass(frozen=True)
class Experiment:
    """An experiment that was read, with all that it names.

    Attributes:
        file: where it was read from. data: what it says, as plain data.
        hash: twelve hexadecimal digits of what it says, and of what its scenarios say.
        scenarios: what is trained on. judged: where else it is judged at the end.
        course: the stages of training, if there are any.
        success: when training may end early, if it may.
    """

    file: str
    data: dict[str, Any]
    hash: str
    model: ExperimentModel
    scenarios: tuple[Scenario, ...]
    judged: tuple[Scenario, ...]
    course: Course | None
    success: Criterion | None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.model.name

    @property
    def workflows(self) -> dict[str, Scenario]:
        """What is trained on, by the name that it goes by in results."""
        return dict(zip(names_of([scenario.name for scenario in self.scenarios]), self.scenarios, strict=True))


def packaged_experiments() -> dict[str, Path]:
    """The experiments of the distribution, by name, in alphabetical order."""
    return {file.stem: file for file in sorted(PACKAGED.glob("*.yaml"))}


def find_experiment(name_or_path: str | Path) -> Path:
    """The file of an experiment: a path to a YAML file, or the name of one of the distribution's.

    Raises:
        ScenarioError: if there is neither, with the nearest name.
    """
    text = str(name_or_path)
    known = packaged_experiments()
    if text in known:
        return known[text]
    path = Path(text)
    if path.suffix in (".yaml", ".yml") or is_there(path):
        return path
    message = f"there is neither an experiment named {shown(text)} nor a file of that name{did_you_mean(text, known)}"
    raise ScenarioError([Problem(text, 1, 1, "", message)])


def is_experiment(name_or_path: str | Path) -> bool:
    """Whether this is a file that says that it is an experiment, whatever else is wrong with it."""
    try:
        said = load_document(find_experiment(name_or_path)).data.get("schema")
    except ScenarioError:
        return False
    return isinstance(said, str) and said.startswith(FORMAT)


def load_experiment(name_or_path: str | Path) -> Experiment:
    """Read an experiment, the scenarios and the policies that it names.

    Raises:
        ScenarioError: with every problem found, each with its place and remedy.
    """
    return read_experiment(load_document(find_experiment(name_or_path)))


def read_experiment(document: Document) -> Experiment:
    """The same of what was read from a file, or was never in one.

    Raises:
        ScenarioError: with every problem found.
    """
    try:
        model = ExperimentModel.model_validate(document.data)
    except ValidationError as error:
        raise ScenarioError(
            validation_problems(document, error, lambda where: allowed_fields(ExperimentModel, where))
        ) from None
    reader = _Reader(document)
    scenarios = reader.scenarios(("scenarios",), model.scenarios)
    judged = reader.scenarios(("evaluation", "final", "scenarios"), model.evaluation.final.scenarios)
    if not reader.problems:
        if model.strategy is not None:
            reader.must_allow(make_strategy(model.strategy), model)
        reader.must_be_trainable(model, scenarios)
        reader.must_have_policies(model, [*scenarios, *judged])
        reader.must_fit(scenarios, judged)
    success = reader.success(model, scenarios)
    course = reader.course(model, scenarios)
    if reader.problems:
        raise ScenarioError(reader.problems)
    everywhere = [*scenarios, *judged, *(course.scenarios if course else ())]
    told = json.dumps([document.data, [scenario.hash for scenario in everywhere]])
    digest = hashlib.sha256(told.encode()).hexdigest()[:12]
    return Experiment(document.file, document.data, digest, model, tuple(scenarios), tuple(judged), course, success)


class _Reader:
    """Reads what an experiment names; notes what goes wrong."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def problem(self, path: Where, message: str) -> None:
        self.problems.append(self.document.problem(path, message))

    def scenarios(self, at: Where, entries: Sequence[ScenarioEntry]) -> list[Scenario]:
        """The scenarios of a list; those that cannot be read are left out."""
        found: list[Scenario] = []
        for number, entry in enumerate(entries):
            beside = Path(self.document.file).parent / entry.scenario
            try:
                scenario = load(beside if beside.suffix in (".yaml", ".yml") else entry.scenario, entry.chosen)
            except ScenarioError as error:
                elsewhere = any(Path(problem.file).is_file() for problem in error.problems)
                if elsewhere and not entry.chosen:
                    self.problems += error.problems  # it stands in the scenario's own file
                else:
                    self.problem((*at, number), "; ".join(problem.message for problem in error.problems))
                continue
            if any(scenario.hash == other.hash for other in found):
                self.problem((*at, number), f"'{scenario.name}' is named twice")
            found.append(scenario)
        return found

    def must_be_trainable(self, model: ExperimentModel, scenarios: Sequence[Scenario]) -> None:
        """Somebody decides in them, none is held out, and the algorithm can learn from what they pay."""
        for number, scenario in enumerate(scenarios):
            if not scenario.roles:
                self.problem(("scenarios", number), f"nobody decides in '{scenario.name}', so nothing can be trained")
            if scenario.split != "train":
                message = f"'{scenario.name}' is held out for evaluation; name it under evaluation.final.scenarios"
                self.problem(("scenarios", number), message)
            paid = _paid_apart(scenario)
            if model.algorithm.name in FOR_A_TEAM and paid and model.strategy != "coordinated":
                message = (
                    f"{model.algorithm.name} needs one reward for the whole team, but '{scenario.name}' pays "
                    f"{', '.join(paid)} apart (to: in its score); take mappo, or pay the team"
                )
                self.problem(("algorithm", "name"), message)

    def must_allow(self, strategy: Strategy, model: ExperimentModel) -> None:
        """The strategy can train what the experiment says, in the way it says."""
        algorithm = model.algorithm
        if algorithm.name in FOR_A_TEAM and not strategy.pays_all_alike:
            message = (
                f"{algorithm.name} needs one reward for the whole team, but a {strategy.name} strategy pays each "
                "workflow and their coordinator apart; take mappo, or another strategy"
            )
            self.problem(("algorithm", "name"), message)
        if algorithm.init is not None and strategy.together:
            message = f"no policy knows all workflows, which a {strategy.name} strategy trains as one; leave it out"
            self.problem(("algorithm", "init"), message)
        success = None if model.stop is None else model.stop.success
        if success is not None and success.of != "return" and strategy.together:
            message = f"with a {strategy.name} strategy, success is that of all workflows; write of: return"
            self.problem(("stop", "success", "of"), message)
        if model.evaluation.final.scenarios:
            message = "several workflows are judged in their own scenarios only; leave it out"
            self.problem(("evaluation", "final", "scenarios"), message)

    def must_have_policies(self, model: ExperimentModel, scenarios: Sequence[Scenario]) -> None:
        """All policies that are named are known, and those that need a rule have one."""
        named: list[tuple[Where, str]] = []
        if "policies" in model.evaluation.model_fields_set:  # those by default are left out where there is no rule
            named += [(("evaluation", "policies", n), policy) for n, policy in enumerate(model.evaluation.policies)]
        if model.algorithm.init is not None:
            named.append((("algorithm", "init"), model.algorithm.init))
        for path, policy in named:
            try:
                policies.check(policy)
                if policy == "rule":
                    for scenario in scenarios:
                        rule_of(scenario)
            except policies.PolicyError as error:
                self.problem(path, str(error))

    def must_fit(self, scenarios: Sequence[Scenario], judged: Sequence[Scenario]) -> None:
        """What is trained can act wherever it is judged."""
        trained = [_shapes(scenario) for scenario in scenarios] if judged else []
        for number, scenario in enumerate(judged):
            if _shapes(scenario) not in trained:
                message = (
                    f"others decide in '{scenario.name}' than in what is trained on, or they see or can do something "
                    "else, so that its policies cannot act there; leave it out"
                )
                self.problem(("evaluation", "final", "scenarios", number), message)

    def success(self, model: ExperimentModel, scenarios: Sequence[Scenario]) -> Criterion | None:
        """When training may end early."""
        if model.stop is None or model.stop.success is None:
            return None
        wanted, at = model.stop.success, ("stop", "success")
        found = [
            read_criterion(wanted, scenario, lambda path, words: self.problem((*at, *path), words))
            for scenario in scenarios
        ]
        return found[0] if found else None

    def course(self, model: ExperimentModel, scenarios: Sequence[Scenario]) -> Course | None:
        """The stages of training."""
        if model.curriculum is None or not scenarios:
            return None
        try:
            return read_course(self.document, ("curriculum",), model.curriculum, str(scenarios[0].file))
        except ScenarioError as error:
            self.problems += error.problems
            return None


def _shapes(scenario: Scenario) -> dict[str, tuple[Any, Any]]:
    """By role, how many numbers it observes and how many actions it has."""
    if not scenario.roles:
        return {}
    env = parallel_env(scenario)
    found = {
        agent.rpartition("_")[0]: (env.observation_space(agent).shape, getattr(env.action_space(agent), "n", None))
        for agent in env.possible_agents
    }
    env.close()
    return found


def _paid_apart(scenario: Scenario) -> list[str]:
    """Roles that are paid for something that the others are not."""
    score = scenario.spec.score
    lines = [line for component in type(score).model_fields for line in getattr(score, component)]
    return list(dict.fromkeys(line.to for line in lines if line.to is not None))
