"""Reads a curriculum: every stage's scenario is made and checked before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from marl_health import Scenario, load, parallel_env
from marl_health.spec.complaints import allowed_fields, validation_problems
from marl_health.spec.document import Document, load_document, merge
from marl_health.spec.errors import Problem, ScenarioError, Where
from marl_health.spec.numbers import STRUCTURES
from marl_health.spec.reading import compiled, parse
from marl_health.spec.scenario import find
from marl_health.spec.suggest import did_you_mean
from orchestration.curriculum.criteria import Criterion, level_of, read_criterion
from orchestration.curriculum.machine import Curriculum, Stage
from orchestration.curriculum.model import Back, CurriculumModel, StageModel
from orchestration.curriculum.writing import write_scenario

FIXED = ("name", "extends", "schema", "kind", "split")
"""What a stage may not change of its scenario."""


@dataclass(frozen=True)
class Course:
    """A curriculum that was read: its stages, and the scenario of each, in order.

    A scenario that a stage changed is in no file yet; :meth:`write` gives all of them in a form that other processes
    can load.
    """

    stages: tuple[Stage, ...]
    scenarios: tuple[Scenario, ...]
    changed: tuple[bool, ...]

    def begin(self) -> Curriculum:
        """The state machine, at its first stage."""
        return Curriculum(self.stages)

    def write(self, folder: Path) -> list[Scenario]:
        """Write the scenarios that stages changed, each in a folder of its own, and return those of all stages.

        What is written is an ordinary scenario: `marl-health show` and `simulate` take it too.
        """
        return [
            write_scenario(scenario, folder / stage.name) if changed else scenario
            for stage, scenario, changed in zip(self.stages, self.scenarios, self.changed, strict=True)
        ]


def load_course(path: str | Path) -> Course:
    """Read a curriculum from a file of its own.

    Raises:
        ScenarioError: with every problem found, each with its place and remedy.
    """
    document = load_document(Path(path))
    try:
        model = CurriculumModel.model_validate(document.data)
    except ValidationError as error:
        raise ScenarioError(
            validation_problems(document, error, lambda where: allowed_fields(CurriculumModel, where))
        ) from None
    return read_course(document, (), model)


def read_course(document: Document, at: Where, model: CurriculumModel, scenario: str | None = None) -> Course:
    """Make the stages of a curriculum that was validated.

    Args:
        document: what it was read from, for the places of problems.
        at: where in it the curriculum stands.
        model: what it says.
        scenario: what stages train on if neither they nor the curriculum say.

    Raises:
        ScenarioError: with every problem found.
    """
    reader = _Reader(document, at)
    found = [reader.stage(number, stage, model.scenario or scenario) for number, stage in enumerate(model.stages)]
    reader.must_be_ordered(model.stages)
    if not reader.problems:
        reader.must_be_for_the_same_policies([made for _, made in found if made is not None])
    if reader.problems:
        raise ScenarioError(reader.problems)
    stages, scenarios = zip(*found, strict=True)
    return Course(stages, scenarios, tuple(bool(stage.changes) for stage in model.stages))


class _Reader:
    """Makes stages; notes what goes wrong."""

    def __init__(self, document: Document, at: Where) -> None:
        self.document = document
        self.at = at
        self.problems: list[Problem] = []

    def problem(self, path: Where, message: str) -> None:
        self.problems.append(self.document.problem((*self.at, *path), message))

    def stage(self, number: int, model: StageModel, default: str | None) -> tuple[Stage | None, Scenario | None]:
        where: Where = ("stages", number)
        named = model.scenario or default
        if named is None:
            self.problem((*where, "name"), "says no scenario, and neither does the curriculum; write scenario: NAME")
            return None, None
        try:
            scenario = self.scenario(where, model, named)
        except ScenarioError as error:
            self.problems += [self._here(problem, where, model) for problem in error.problems]
            return None, None
        if scenario.split != "train":
            key = (*where, "scenario") if model.scenario else ("scenario",)
            self.problem(key, f"'{scenario.name}' is held out for evaluation; policies are never trained on it")
        return self._machine_stage(where, model, scenario), scenario

    def scenario(self, where: Where, model: StageModel, named: str) -> Scenario:
        """The scenario of a stage: the one that is named, with the stage's changes laid over it."""
        path = find(self._beside(named))
        document, files = parse(path)
        if model.changes:
            for key in FIXED:
                if key in model.changes:
                    self.problem((*where, "changes", key), f"a stage cannot change the {key} of its scenario")
            document = merge(document, self.document.part((*self.at, *where, "changes")), STRUCTURES)
        self._must_be_chosen_from(document.data, where, model)
        return compiled(document, files, dict(model.chosen)) if model.changes else load(path, model.chosen)

    def _must_be_chosen_from(self, data: dict[str, Any], where: Where, model: StageModel) -> None:
        """Alternatives that a stage picks are among those of its scenario."""
        choose = _mapping(data.get("choose"))
        for name, pick in model.chosen.items():
            among = _mapping(_mapping(choose.get(name)).get("among"))
            if pick in among:
                continue
            what = f"'{name}' has no alternative '{pick}'" if among else f"the scenario leaves no choice named '{name}'"
            hint = did_you_mean(pick, among) if among else did_you_mean(name, choose)
            raise ScenarioError([self.document.problem((*self.at, *where, "with", name), what + hint)])

    def _beside(self, named: str) -> str:
        """A file's name is relative to the file that it stands in."""
        beside = Path(self.document.file).parent / named
        return str(beside) if beside.suffix in (".yaml", ".yml") and beside.is_file() else named

    def _here(self, problem: Problem, where: Where, model: StageModel) -> Problem:
        """A problem of a stage's scenario; one that is in no file stands where the scenario is named."""
        if problem.file == self.document.file or Path(problem.file).is_file():
            return problem
        path = (*where, "scenario") if model.scenario else ("scenario",)
        return self.document.problem((*self.at, *path), problem.message)

    def _machine_stage(self, where: Where, model: StageModel, scenario: Scenario) -> Stage | None:
        at_least, at_most = model.steps.at_least, model.steps.at_most
        if model.success is None:
            return Stage(model.name, at_least=at_least, at_most=at_most)
        criterion = read_criterion(
            model.success, scenario, lambda path, message: self.problem((*where, "success", *path), message)
        )
        if criterion is None:
            return None
        fall = None if model.back is None else self._fall((*where, "back", "worse_than"), model.back, criterion)
        return Stage(
            model.name,
            criterion.metric,
            criterion.higher_is_better,
            criterion.level,
            criterion.in_a_row,
            fall,
            1 if model.back is None else model.back.in_a_row,
            at_least,
            at_most,
        )

    def _fall(self, path: Where, back: Back, criterion: Criterion) -> float | None:
        """The level for going back, which is worse than that for moving on."""
        try:
            fall = level_of(back.worse_than, criterion.metric, criterion.unit)
        except ValueError as error:
            self.problem(path, str(error))
            return None
        if criterion.reached(fall):
            self.problem(path, "has to be worse than the level of success, or training would go to and fro")
        return fall

    def must_be_ordered(self, stages: list[StageModel]) -> None:
        """What can only be seen of all stages together."""
        seen: set[str] = set()
        for number, stage in enumerate(stages):
            if stage.name in seen:
                self.problem(("stages", number, "name"), f"there are two stages named '{stage.name}'; name them apart")
            seen.add(stage.name)
            if number == 0 and stage.back is not None:
                self.problem(("stages", 0, "back"), "there is no stage before the first to go back to")
            last = number + 1 == len(stages)
            if not last and stage.success is None and stage.steps.at_most is None:
                message = "nobody would ever leave this stage; say what success is, or steps: {at_most: ...}"
                self.problem(("stages", number, "name"), message)

    def must_be_for_the_same_policies(self, scenarios: list[Scenario]) -> None:
        """Policies are carried from stage to stage, so what agents see and can do stays the same."""
        first, *others = [_spaces(scenario) for scenario in scenarios]
        for number, spaces in enumerate(others, start=1):
            changed = [agent for agent in {**first, **spaces} if first.get(agent) != spaces.get(agent)]
            if changed:
                message = (
                    f"changes who decides, or what they see and can do ({', '.join(changed)}), so that policies of the "
                    "first stage do not fit; change the patients or the resources instead"
                )
                self.problem(("stages", number, "name"), message)


def _mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping; what is wrong with any other is told when the scenario is compiled."""
    return value if isinstance(value, dict) else {}


def _spaces(scenario: Scenario) -> dict[str, tuple[Any, Any]]:
    env = parallel_env(scenario)
    spaces = {agent: (env.observation_space(agent), env.action_space(agent)) for agent in env.possible_agents}
    env.close()
    return spaces
