"""What every kind of scenario has: its heading, its clock, what varies, what is measured and what counts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from marl_health.spec.numbers import Amount, Flag, Minutes, Model, Name, Sourced, Value, WeekTime

MOST_DECISIONS = 1_000_000


def as_list(value: Any) -> Any:
    """Let a single name stand for a list of one."""
    return [value] if isinstance(value, str) else value


def as_words(value: Any) -> Any:
    """Let a list of words stand for alternatives that stand for themselves."""
    return (
        {word: word for word in value} if isinstance(value, list) and all(isinstance(w, str) for w in value) else value
    )


Names = Annotated[list[Name], BeforeValidator(as_list, json_schema_input_type=Name | list[Name])]


class Decide(Model):
    """Decisions at events, instead of every so often.

    An entity that sets one of the marks (while decisions are on) asks the agents that decide at it. The world runs on
    for ``together_within``; whatever is asked meanwhile is the same step, and then they decide. So at a step an agent
    sees the world as it is then, ``together_within`` after the first of the requests (which are answered together), and
    what happens at that very moment happens after it. What is asked at the moment of a decision, or by the decision
    itself, is a request for the next step. Everybody is asked at the start.

    At every step all agents are there: those who are not asked see the world too, but can only wait. Each step's
    reward is paid at that step, to those who were not asked as well, so that rewards always add up to the score;
    to a learner a forced wait is no decision: what is earned meanwhile belongs to the agent's decision before.
    """

    when: Names = Field(min_length=1, max_length=100, description="Marks that ask for decisions")
    together_within: Minutes = Field(1.0, description="Requests within this time are one step, at the end of it")
    at_least_every: Minutes | None = Field(None, description="Nobody waits longer than this until asked again")


class Clock(Model):
    """When an episode starts, how long its phases are, and when agents decide: every so often, or at events.

    ``warm_up`` and ``run_out`` run without decisions, the same for every policy. What befalls those who are inside at
    the end of the episode is scored during the run-out, into the last reward.

    With ``until_gone`` the world may come to its end before the ``episode`` is over: at the moment when the last of
    these kinds leaves, if no other is still to come by then. The run-out follows at once. (Those who left and may come
    again do not count.) An environment then terminates; at the end of the ``episode`` it is truncated.
    """

    starts: WeekTime = Field(0.0, description="Day and time at which the first decision is taken, e.g. Monday 00:00")
    warm_up: Minutes = Field(0.0, description="Time before the first decision, under the first level of each lever")
    episode: Minutes = Field(description="Time with decisions")
    run_out: Minutes = Field(0.0, description="Time after the last decision, whose outcomes still count")
    decide_every: Minutes | None = Field(None, description="Time between decisions, if it is always the same")
    decide: Decide | None = Field(None, description="Decisions at events, instead of `decide_every`")
    until_gone: Names = Field(
        [], max_length=200, description="The episode ends early when nobody of these kinds is inside or still to come"
    )

    @model_validator(mode="after")
    def _divides(self) -> Clock:
        if self.episode <= 0:
            raise ValueError("the episode must last longer than 0")
        if self.warm_up + self.episode + self.run_out > 5_300_000:
            raise ValueError("more than ten years are asked for; shorten warm_up, episode or run_out")
        if (self.decide_every is None) == (self.decide is None):
            raise ValueError("needs exactly one of decide_every and decide")
        if self.decide is not None:
            for name, minutes in (
                ("together_within", self.decide.together_within),
                ("at_least_every", self.decide.at_least_every),
            ):
                if minutes is not None and minutes <= 0:
                    raise ValueError(f"{name} must be longer than 0")
        elif self.step <= 0:
            raise ValueError("decide_every must be longer than 0")
        steps = self.episode / self.step
        if self.decide is None and abs(steps - round(steps)) > 1e-9:
            raise ValueError("the episode must be a whole number of decide_every")
        if steps > MOST_DECISIONS:
            raise ValueError(f"{steps:.0f} decisions are asked for, at most {MOST_DECISIONS} are allowed")
        return self

    @property
    def step(self) -> float:
        """Minutes between decisions; where they come at events, ``together_within``: the least between two requests."""
        if self.decide is not None:
            return self.decide.together_within
        assert self.decide_every is not None
        return self.decide_every

    @property
    def steps(self) -> int | None:
        """Decisions in an episode, if they come every so often and nothing ends it early."""
        return None if self.decide_every is None else round(self.episode / self.decide_every)


class Alternatives(Sourced):
    """A named choice between values, fixed when the scenario is loaded (``--with name=alternative``).

    Alternatives that are only words (``among: [start, salt]``) stand for themselves: an attribute may be set to the
    name of the choice, and the column of a table may be picked by it.
    """

    default: Name = Field(description="The alternative that is used unless another is asked for")
    among: Annotated[
        dict[Name, Value], BeforeValidator(as_words, json_schema_input_type=dict[Name, Value] | list[Name])
    ] = Field(min_length=1, description="The alternatives by name, or a list of words")

    @property
    def words(self) -> bool:
        """Whether the alternatives are words that stand for themselves."""
        return all(name == value for name, value in self.among.items())

    @model_validator(mode="after")
    def _default_is_known(self) -> Alternatives:
        if self.default not in self.among:
            raise ValueError(f"the default '{self.default}' is not among {', '.join(self.among)}")
        return self


def _whose(name: str | None) -> str | None:
    if name is not None:
        raise ValueError("there are no templates, for each of whose sites this could stand; leave out each")
    return name


Each = Annotated[
    Name | None,
    AfterValidator(_whose),
    Field(description="A template: this stands once for each of its sites, whose names it uses as the template does"),
]
"""Settled before a scenario is validated."""


class Worth(Sourced):
    """One line of the score: what one unit of a measure is worth, to the team unless ``to`` names a role."""

    of: str = Field(max_length=200, description="A measure, such as boarding.hours")
    each: Each = None
    worth: float = Field(ge=-1e9, le=1e9, description="Reward for one unit of it (negative: a penalty)")
    per: Amount | None = Field(None, description="The unit, if it is not 1: 1000 usd, 24 h")
    to: Name | None = Field(None, description="The role that gets it; the whole team if absent")


class Score(Model):
    """The reward: a weighted sum of what the measures gained since the last decision, in five components."""

    clinical: list[Worth] = Field([], max_length=200, description="Harm and benefit to patients")
    efficiency: list[Worth] = Field([], max_length=200, description="Time and flow")
    financial: list[Worth] = Field([], max_length=200, description="Money")
    risk: list[Worth] = Field([], max_length=200, description="What may go wrong")
    compliance: list[Worth] = Field([], max_length=200, description="Targets and rules")


class Kpi(Sourced):
    """A key performance indicator: a measure over the episode after the warm-up, optionally per another.

    With ``gap`` it is the largest difference between two groups of an attribute that ``groups`` of the scenario names.
    A group takes part if 30 of its entities were recorded: finished intervals of a measure, or what is counted in
    ``per``. Where fewer than two groups take part it is nan. In a single replication a gap is too large by noise: were
    all groups alike, it would still lie above 0, the more the smaller they are. So compare it between policies on the
    same patients, and read its size from the gap between the groups' means over replications, which ``--by`` shows.
    """

    of: str = Field(max_length=200, description="A measure, such as `boarding.mean`")
    per: str | Annotated[float, Field(gt=0, le=1e9)] | None = Field(
        None, description="Divide by this measure, or by a number"
    )
    spread: Flag = Field(False, description="The largest difference between the sites in `TEMPLATE.NAME.what` instead")
    each: Each = None
    gap: Names = Field(
        [],
        max_length=10,
        description="The largest difference between groups of an attribute instead (of several: of any of them)",
    )
    better: Literal["lower", "higher"] = Field("lower", description="Which way is better; a gap is better lower")

    @model_validator(mode="after")
    def _gap_is_better_lower(self) -> Kpi:
        if self.gap and self.better == "higher":
            raise ValueError("a gap between groups is better lower; leave out better")
        return self


class Heading(Model):
    """The part of a scenario that every kind shares."""

    format: Literal["marl_health/v1"] = Field(alias="schema", description="The version of the language")
    kind: Literal["flow"] = Field("flow", description="The kind of world")
    name: Name = Field(description="Name of the scenario, as the file is called")
    version: int = Field(1, ge=1, le=10_000, description="Raised when a change moves the results")
    description: str = Field(min_length=1, max_length=2000, description="What the scenario is about, in a paragraph")
    tags: list[Name] = Field(min_length=1, max_length=20, description="Words to find it by")
    split: Literal["train", "held_out"] = Field(description="Whether policies may be trained on it or only evaluated")
    extends: str | None = Field(None, description="Another scenario (name or file) that this one changes")
    clock: Clock = Field(description="When it starts, how long it lasts, when agents decide")
    vary: dict[Name, Value] = Field(
        {}, max_length=200, description="Drawn once per episode, before anything else; hidden from agents"
    )
    choose: dict[Name, Alternatives] = Field(
        {}, max_length=50, description="Named alternatives, fixed when the scenario is loaded"
    )
    score: Score = Field(Score(), description="What the reward is made of")
    kpis: dict[Name, Kpi] = Field({}, max_length=500, description="What is reported")

    @field_validator("description")
    @classmethod
    def _one_paragraph(cls, text: str) -> str:
        return " ".join(text.split())
