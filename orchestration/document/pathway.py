"""The pathway as a graph, and drawn: from those who come on the left to those who leave on the right."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from orchestration.document.inputs import WEEKDAYS, numeric, phrase, words

VERBS = ("use", "move_to", "visit", "take", "give", "meet", "carry", "stay", "wait", "travel", "together", "leave")


@dataclass(frozen=True)
class Node:
    """A box of the drawing.

    Attributes:
        look: a verb, ``route`` for a step that only leads on, ``kind`` for those who come, ``clock`` for timers and
            health.
        title, note: what stands in it.
    """

    look: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Link:
    """An arrow. ``look``: ``way``; ``aside`` for giving up, timers and health; ``choice`` for what an agent may do."""

    look: str
    label: str = ""


@dataclass
class Pathway:
    """The graph. Steps are nodes by their name; kinds and clocks have a prefix that no step can have."""

    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[tuple[str, str], Link] = field(default_factory=dict)

    def link(self, a: str, b: str, look: str = "way", label: str = "") -> None:
        """Add an arrow; of several between two boxes one is drawn, with all labels."""
        old = self.links.get((a, b))
        if old is not None:
            label = " / ".join(dict.fromkeys(text for text in (old.label, label) if text))
            look = old.look
        self.links[a, b] = Link(look, label)


def pathway_of(data: Mapping[str, Any]) -> Pathway:
    """The graph of what a scenario's file says."""
    graph = Pathway()
    steps = data["pathway"]
    for name, step in steps.items():
        graph.nodes[name] = _node(name, step)
    joins: dict[str, list[str]] = {}
    for name, step in steps.items():
        if "together" in step:
            joins[name] = list(_branches(graph, name, step))
    for name, step in steps.items():
        sources = joins.get(name, [name])
        for target, label in ways(step.get("next")):
            for source in sources:
                graph.link(source, target, label=label)
        if "or" in step:
            graph.link(name, step["or"]["go"], "aside", f"waited {_plain(step['or']['after'])}".strip())
        again = step.get("again")
        if again is not None:
            graph.link(name, f"+{again['as']}", "aside", f"again {_plain(again['chance'])}".strip())
    for name, kind in data["entities"].items():
        graph.nodes[f"+{name}"] = Node("kind", words(name), comes(kind))
        graph.link(f"+{name}", kind["begins"])
    for name, timer in data.get("timers", {}).items():
        graph.nodes[f"@{name}"] = Node("clock", words(name), f"{words(timer['from'])} until {words(timer['until'])}")
        graph.link(f"@{name}", timer["go"], "aside")
    for name, machine in data.get("health", {}).items():
        note = f"{words(machine['from'])} until {words(machine['until'])}"
        graph.nodes[f"@{name}"] = Node("clock", words(name), note)
        for transitions in machine["states"].values():
            for transition in transitions.values():
                if "go" in transition:
                    graph.link(f"@{name}", transition["go"], "aside")
    _choices(graph, data)
    used = {node for link in graph.links for node in link}
    graph.nodes = {name: node for name, node in graph.nodes.items() if name in used or not name.startswith("@")}
    return graph


def _branches(graph: Pathway, name: str, step: Mapping[str, Any]) -> Iterator[str]:
    """Draw the branches of parallel work; yield the steps with which they end."""
    for branch, parallel in step["together"].items():
        inside = parallel["do"] if isinstance(parallel["do"], list) else [parallel["do"]]
        chance = _plain(parallel.get("chance", 1.0))
        label = words(branch) if chance in ("1", "1.0", "100%") else f"{words(branch)} {chance}".strip()
        graph.link(name, inside[0], label=label)
        for a, b in pairwise(inside):
            if a != b:
                graph.link(a, b)
        yield inside[-1]


def _choices(graph: Pathway, data: Mapping[str, Any]) -> None:
    """Arrows for where agents may send those whom they choose, or all who finish a step."""
    for role, agent in data.get("agents", {}).items():
        for move in agent["can"]:
            setting = str(move.get("set", ""))
            if setting.endswith(".next"):
                for way in list(move["to"].values())[1:]:
                    for target, _ in ways(way):
                        graph.link(setting.removesuffix(".next"), target, "choice", words(role))
            do = move.get("do")
            if isinstance(do, Mapping) and "go" in do:
                slots = data["slots"][move["choose"]]
                for name, step in data["pathway"].items():
                    if "in" in slots:
                        there = name == slots["in"]
                    else:
                        there = slots["waiting"] in (step.get("queue"), *needs(step))
                    if there:
                        graph.link(name, do["go"], "choice", words(role))


def _node(name: str, step: Mapping[str, Any]) -> Node:
    verb = next((verb for verb in VERBS if verb in step), "route")
    staff = needs(step)
    if verb == "leave":
        return Node(verb, words(name), f"leaves: {words(step['leave'])}" if step["leave"] != name else "leaves")
    if verb == "move_to":
        with_staff = f", with {' + '.join(map(words, staff[1:]))}" if staff[1:] else ""
        return Node(verb, words(name), f"into {words(staff[0])}{with_staff}")
    if verb == "visit":
        with_staff = f", with {' + '.join(map(words, staff[1:]))}" if staff[1:] else ""
        return Node(verb, words(name), f"at {words(staff[0])}{with_staff}")
    if verb == "use":
        return Node(verb, words(name), " + ".join(map(words, staff)))
    if verb == "carry":
        return Node(verb, words(name), f"by {' or '.join(map(words, dict.fromkeys(staff)))}")
    if verb == "meet":
        return Node(verb, words(name), f"meets at {words(step['meet'])}")
    if verb in ("take", "give"):
        return Node(verb, words(name), f"{verb}s {' + '.join(map(words, staff or [step['give']]))}")
    if verb == "travel":
        return Node(verb, words(name), f"to {destination(step)}")
    notes = {"stay": "stays", "wait": "time passes", "together": "side by side", "route": ""}
    return Node(verb, words(name), notes[verb])


def destination(step: Mapping[str, Any]) -> str:
    """Where a journey leads."""
    to = step["travel"]["to"]
    if isinstance(to, str):
        return words(to)
    among = to["nearest"] if isinstance(to["nearest"], str) else ", ".join(to["nearest"])
    return f"the nearest {words(among)}" + (f" with {to['when']}" if "when" in to else "")


def needs(step: Mapping[str, Any]) -> list[str]:
    """What a step takes, the place first."""

    def listed(value: Any) -> list[str]:
        return [value] if isinstance(value, str) else list(value or [])

    for verb in ("use", "take", "meet"):
        if verb in step:
            return listed(step[verb])
    if "carry" in step:
        return listed(step["carry"].get("by", step["carry"].get("race")))
    place = step.get("move_to", step.get("visit"))
    return [] if place is None else [str(place), *listed(step.get("with"))]


def ways(way: Any) -> list[tuple[str, str]]:
    """Steps that a way on may lead to, each with what stands on its arrow."""
    if way is None:
        return []
    if isinstance(way, str):
        return [(way, "")]
    if "when" in way:
        found = []
        for branch in way["when"]:
            condition = str(branch.get("if", "else"))
            target = branch.get("go", branch.get("else"))
            found += [(step, f"{condition}, {label}" if label else condition) for step, label in ways(target)]
        return found
    if "by" in way:
        return [
            (step, f"{words(way['by'])} {key}, {label}" if label else f"{words(way['by'])} {key}")
            for key, case in way.items()
            if key != "by"
            for step, label in ways(case)
        ]
    shares = way["split"]
    if not any(isinstance(case, Mapping) for case in shares.values()):
        return [(step, "rest" if share == "else" else str(share)) for step, share in shares.items()]
    by_step: dict[str, list[str]] = {}
    for case in shares.values():
        for step, share in case.items() if isinstance(case, Mapping) else ():
            by_step.setdefault(step, []).append(str(share))
    return [(step, _range(found)) for step, found in by_step.items()]


def _range(shares: list[str]) -> str:
    """Shares that differ between cases, from the least to the most."""
    known = sorted({share for share in shares if share != "else"}, key=lambda share: float(share.rstrip("%")))
    if "else" in shares or not known:
        return "rest"
    return known[0] if len(known) == 1 else f"{known[0].rstrip('%')}–{known[-1]}"


def _plain(value: Any) -> str:
    """A number that is one, for an arrow; nothing if it is more complicated."""
    return str(value) if isinstance(value, str | int | float) and numeric(value) else ""


def comes(kind: Mapping[str, Any]) -> str:
    """How the entities of a kind come, in a few words."""
    arrive = kind.get("arrive")
    if arrive is None:
        return "who come again"
    if "rate" in arrive:
        rate = arrive["rate"]
        return f"{rate['per_day']} a day" if "per_day" in rate else f"{rate['per_hour']} an hour"
    if "timetable" in arrive:
        total = sum(int(slot.get("count", 1)) * len(_days(slot)) for slot in arrive["timetable"])
        return f"{total} booked a week"
    if "burst" in arrive:
        return f"a burst of {phrase(arrive['burst']['count'])}"
    start = arrive["at_start"]
    return f"in {words(start['fill'])} at the start" if "fill" in start else f"{start['count']} at the start"


def _days(slot: Mapping[str, Any]) -> list[str]:
    days = slot.get("on", list(WEEKDAYS))
    return [days] if isinstance(days, str) else list(days)


def wrapped(text: str, width: int) -> str:
    """Text broken into lines."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False)) if text else ""
