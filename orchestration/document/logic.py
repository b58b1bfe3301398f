"""What happens in a scenario, in words: section 2 of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from marl_health import Scenario
from orchestration.document.blocks import Block, Bullets, Heading, Paragraph, Table
from orchestration.document.geography import geography
from orchestration.document.inputs import REMARKS, form_of, phrase, words
from orchestration.document.pathway import comes, destination, needs

ORDERS = {"arrival": "first come, first served", "class": "by class, then first come, first served"}
INTERRUPTED = {
    "resume": "later resumes",
    "resume_first": "resumes before anyone else of its queue is served",
    "restart": "later restarts",
}


def logic(scenario: Scenario) -> Iterator[Block]:
    """Sections 2.2 to 2.4."""
    data = scenario.sketch
    yield Heading(3, "2.2 Base model logic")
    yield from geography(scenario)
    yield Table(
        ["step", "what happens", "marks", "then"],
        [[f"`{name}`", _happens(name, step), _marks(step), _then(step)] for name, step in data["pathway"].items()],
    )
    yield Heading(3, "2.3 Scenario logic")
    yield from _decisions(scenario)
    for name, choice in data.get("choose", {}).items():
        picked = scenario.chosen.get(name, choice["default"])
        said = choice["among"]
        among = phrase(said) if isinstance(said, list) else "; ".join(f"{key}: {phrase(v)}" for key, v in said.items())
        yield Paragraph(f"`{name}` is {picked} here. Alternatives: {among}.")
    yield Heading(3, "2.4 Algorithms")
    yield Bullets(list(_algorithms(data)))


def components(scenario: Scenario) -> Iterator[Block]:
    """Section 2.5."""
    data = scenario.sketch
    yield Heading(3, "2.5 Components")
    yield Heading(4, "2.5.1 Entities")
    yield Table(
        ["entity", "comes", "attributes", "begins with"],
        [
            [f"`{name}`", comes(kind), ", ".join(_attributes(kind)) or "–", f"`{kind['begins']}`"]
            for name, kind in data["entities"].items()
        ],
    )
    yield Heading(4, "2.5.2 Activities")
    yield Paragraph("The steps of 2.2; how long each takes stands in 3.3.")
    yield Heading(4, "2.5.3 Resources")
    rows = []
    for part, what in (("staff", "staff"), ("places", "place")):
        for name, resource in data.get(part, {}).items():
            cleaned = phrase(resource["clean"]) if "clean" in resource else "–"
            rows.append([f"`{name}`", what, _units(resource), cleaned, words(resource.get("department", "–"))])
    yield Table(["resource", "kind", "units", "cleaned for", "department"], rows) if rows else Paragraph("None.")
    if data.get("stock"):
        yield Table(
            [
                "stock",
                "at the start",
                "lead time",
                "shelf life",
                "age when it comes",
                "orders leave",
                "handed out first",
            ],
            [[f"`{name}`", *_stocked(stock)] for name, stock in data["stock"].items()],
        )
    yield Heading(4, "2.5.4 Queues")
    yield Table(["queue", "in front of", "order", "classes", "steps that wait in it"], list(_queues(scenario)))
    yield Heading(4, "2.5.5 Entry and exit points")
    leaves = [f"`{name}`: {words(step['leave'])}" for name, step in data["pathway"].items() if "leave" in step]
    entries = [f"{words(name)} begin with `{kind['begins']}`" for name, kind in data["entities"].items()]
    yield Bullets([f"Entry: {'; '.join(entries)}.", f"Exit: {'; '.join(leaves)}."])


# ------------------------------------------------------------ steps
def _happens(name: str, step: Mapping[str, Any]) -> str:
    """A step in a sentence."""
    taken = [words(need) for need in needs(step)]
    if "use" in step:
        text = f"{' and '.join(taken)} at work" + (", the very one who served them before" if step.get("same") else "")
    elif "move_to" in step:
        text = f"moves to {taken[0]}; the old place is free once it is there"
        text += f"; with {' and '.join(taken[1:])}" if taken[1:] else ""
    elif "visit" in step:
        text = f"goes to {taken[0]} and keeps the own place" + (
            f"; with {' and '.join(taken[1:])}" if taken[1:] else ""
        )
    elif "take" in step:
        text = f"uses up {_some(step)} of {' and '.join(taken)}"
    elif "give" in step:
        text = f"adds {_some(step)} to {words(step['give'])}"
    elif "travel" in step:
        text = f"goes to {destination(step)}, and gives up the place"
    elif "carry" in step:
        text = f"fetched by {' or '.join(dict.fromkeys(taken))} and brought to another site"
    elif "meet" in step:
        text = f"waits for the other parties of {words(step['meet'])}, then all go on"
    elif "together" in step:
        branches = (f"{words(branch)} ({_listed(part['do'])})" for branch, part in step["together"].items())
        text = f"side by side: {', '.join(branches)}; goes on when all of them are finished"
    elif "leave" in step:
        text = f"leaves as {words(step['leave'])}"
        if "again" in step:
            keeps = f", with the same {_all(step['again']['keeps'])}" if step["again"].get("keeps") else ""
            text += f"; some come again as {words(step['again']['as'])}{keeps}"
    else:
        text = "stays" if "stay" in step else "time passes" if "wait" in step else "goes on at once"
    extras = []
    if "queue" in step:
        extras.append(f"waits in `{step['queue']}`")
    if step.get("priority"):
        extras.append(f"priority {step['priority']} against other queues (lower goes first)")
    if step.get("preempt"):
        extras.append(f"interrupts less urgent work, which {INTERRUPTED[step['preempt']]}")
    if "shorten" in step:
        extras.append("agents may end it early")
    extras += [f"{words(key)} becomes {_brief(value)}" for key, value in step.get("set", {}).items()]
    return "; ".join([text, *extras])


def _some(step: Mapping[str, Any]) -> str:
    """How many units a step takes or gives."""
    units = step.get("units", 1)
    return f"as many as {words(units)} says" if isinstance(units, str) else "1 unit" if units == 1 else f"{units} units"


def _brief(value: Any) -> str:
    form = form_of(value)
    return f"a value by {words(value['by'])}" if form == "by" else phrase(value)


def _all(value: Any) -> str:
    return ", ".join(words(name) for name in ([value] if isinstance(value, str) else value))


def _listed(value: Any) -> str:
    names = [value] if isinstance(value, str) else list(value)
    return ", then ".join(words(name) for name in names)


def _marks(step: Mapping[str, Any]) -> str:
    parts = [(_coded(step.get(word, [])), when) for word, when in (("mark", "begins"), ("mark_end", "ends"))]
    return ", ".join(f"{marks} when it {when}" for marks, when in parts if marks) or "–"


def _coded(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in ([names] if isinstance(names, str) else names))


def _then(step: Mapping[str, Any]) -> str:
    """Where a step leads."""
    parts = [_way(step["next"])] if "next" in step else []
    if "or" in step:
        parts.append(f"after a wait of {_brief(step['or']['after'])}: `{step['or']['go']}`")
    return "; ".join(parts) or ("–" if "leave" in step else "the branch ends")


def _way(way: Any) -> str:
    if isinstance(way, str):
        return f"`{way}`"
    if "when" in way:
        return "; ".join(
            f"if {branch['if']}: {_way(branch['go'])}" if "if" in branch else f"else {_way(branch['else'])}"
            for branch in way["when"]
        )
    if "by" in way:
        told = (f"{key}: {_way(case)}" for key, case in way.items() if key != "by")
        return f"by {words(way['by'])}: {', '.join(told)}"
    shares = way["split"]
    cases = [case for case in shares.values() if isinstance(case, Mapping)]
    if cases:
        steps = dict.fromkeys(step for case in cases for step in case)
        return f"by chance, shares by {words(shares['by'])}: {', '.join(f'`{step}`' for step in steps)}"
    return "by chance: " + ", ".join(f"`{step}` {'the rest' if s == 'else' else s}" for step, s in shares.items())


# ------------------------------------------------------------ decisions and rules
def _decisions(scenario: Scenario) -> Iterator[Block]:
    game = scenario.kind.make_game(scenario.program)
    if not game.agents:
        yield Paragraph("Nobody decides: the base model is the only scenario.")
        return
    yield Paragraph(
        "Those who decide may do one of these at each decision, or wait. The base model is that in which all of them "
        "always wait; policies are the scenarios that are compared."
    )
    rows = []
    alike = Counter(agent.rsplit("_", 1)[0] for agent in game.agents)
    for role, count in alike.items():
        agent = f"{role}_0"
        who = words(role) + (f" ({count} of them)" if count > 1 else "")
        names, meanings = game.action_names(agent), game.action_meanings(agent)
        rows += [[who, f"`{name}`", meaning] for name, meaning in zip(names, meanings, strict=True)]
    yield Table(["who decides", "move", "meaning"], rows)


def _algorithms(data: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "Nobody is granted a part of what a step needs: all of it at once, or they wait. A free unit goes to the queue "
        "with the lowest priority number, then to who comes first by the order of the queues, then to who has waited "
        "longest."
    )
    for name, timer in data.get("timers", {}).items():
        yield (
            f"Timer `{name}` for {_all(timer['for'])}: runs from `{timer['from']}` until `{timer['until']}`; when it "
            f"is over ({_brief(timer['after'])}), `{timer['go']}`, whatever was going on."
        )
    for name, machine in data.get("health", {}).items():
        changes = []
        for state, transitions in machine["states"].items():
            for to, change in transitions.items():
                how = "at a hazard" if "hazard" in change else "after a time"
                value = _brief(change.get("hazard", change.get("after")))
                then = [f"`{change['go']}`"] if "go" in change else []
                then += [f"{words(key)} becomes {_brief(part)}" for key, part in change.get("set", {}).items()]
                told = f", then {' and '.join(then)}" if then else ""
                changes.append(f"{words(state)} to {words(to)} {how} ({value}){told}")
        yield (
            f"Health `{name}` of {_all(machine['for'])}, from `{machine['from']}` until `{machine['until']}`: "
            f"{'; '.join(changes)}."
        )
    if any("clean" in place for place in data.get("places", {}).values()):
        yield "A place that was left is cleaned before the next one may have it."
    if any("rota" in part for part in data.get("staff", {}).values()):
        yield "Those of a rota finish their work under way after their shift, beside those who relieve them."
    if any("shifts" in part for key in ("staff", "places") for part in data.get(key, {}).values()):
        yield "When a shift ends, work under way is finished by those who began it, as overtime."


# ------------------------------------------------------------ components
def _attributes(kind: Mapping[str, Any]) -> list[str]:
    return [
        f"{words(name)} (hidden)" if isinstance(value, Mapping) and value.get("hidden") else words(name)
        for name, value in kind.get("has", {}).items()
    ]


def _stocked(stock: Mapping[str, Any]) -> list[str]:
    """The row of a stock."""
    parts = [_brief(stock[word]) if word in stock else "–" for word in ("start", "lead", "shelf_life", "age")]
    leaves = [
        f"{review['at']} {_all(review['on']) if 'on' in review else 'every day'}" for review in stock.get("review", ())
    ]
    rule = stock.get("reorder")
    by_itself = [] if rule is None else [f"up to {rule['up_to']} by itself"]
    return [*parts, "; ".join([*leaves, *by_itself]) or "at once", stock.get("issue", "oldest")]


def _units(resource: Mapping[str, Any]) -> str:
    if "shifts" in resource:
        text = "; ".join(f"from {start}: {count}" for start, count in resource["shifts"].items())
    elif "rota" in resource:
        text = "; ".join(f"from {crew['at']} for {crew['for']}: {crew['count']}" for crew in resource["rota"])
    else:
        text = str(resource["count"])
    return f"{text}; less {_brief(resource['absent'])}" if "absent" in resource else text


def _queues(scenario: Scenario) -> Iterator[list[str]]:
    """A row for every line that somebody may stand in."""
    program, data = scenario.program, scenario.sketch
    waiting: dict[str, list[str]] = {}
    for step in program.steps:
        if hasattr(step, "line"):
            waiting.setdefault(program.lines[step.line].name, []).append(step.name)
    for name in dict.fromkeys(line.name for line in program.lines):
        line = next(line for line in program.lines if line.name == name)
        said = {key: value for key, value in data.get("queues", {}).get(name, {}).items() if key not in REMARKS}
        order = said.get("order", "arrival")
        yield [
            f"`{name}`",
            ", ".join(words(program.pools[pool].name) for pool, _ in line.needs),
            ORDERS.get(order, "") if isinstance(order, str) else phrase(order),
            words(said.get("classes", "–")),
            ", ".join(f"`{step}`" for step in dict.fromkeys(waiting.get(name, []))),
        ]
