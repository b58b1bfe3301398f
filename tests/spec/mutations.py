"""Mutations of a scenario file: what slips, broken editors and hostile people do to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from marl_health.spec.document import load_document
from marl_health.spec.errors import Where

_VALUES = load_document(Path(__file__).with_suffix(".yaml")).data
NASTY: list[Any] = [*_VALUES["nasty"], "a" * 300, "é" * 40, {"": 1}]
PLAUSIBLE: dict[str, list[Any]] = {**dict.fromkeys(_VALUES["durations"], _VALUES["times"]), **_VALUES["plausible"]}
CONDITIONS: list[str] = _VALUES["plausible"]["if"]


def paths(data: Any, at: Where = ()) -> list[Where]:
    """Every place of the data, the top excepted."""
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in items for found in [(*at, key), *paths(value, (*at, key))]]


def get(data: Any, path: Where) -> Any:
    for key in path:
        data = data[key]
    return data


def put(data: Any, path: Where, value: Any) -> None:
    get(data, path[:-1])[path[-1]] = value


# ---------------------------------------------------------------- of the data
def drop(data: Any, random: Random) -> None:
    path = random.choice(paths(data))
    del get(data, path[:-1])[path[-1]]


def nasty(data: Any, random: Random) -> None:
    put(data, random.choice(paths(data)), copy.deepcopy(random.choice(NASTY)))


def nasty_scalar(data: Any, random: Random) -> None:
    leaves = [path for path in paths(data) if not isinstance(get(data, path), dict | list)]
    put(data, random.choice(leaves), copy.deepcopy(random.choice(NASTY)))


def scale(data: Any, random: Random) -> None:
    """A number many times as large or small, its unit kept."""
    leaves = [path for path in paths(data) if str(get(data, path))[:1].isdigit()]
    path = random.choice(leaves)
    value, factor = get(data, path), 10.0 ** random.choice([-12, -6, -3, -1, 1, 3, 6, 9])
    if isinstance(value, int | float):
        put(data, path, type(value)(value * factor) if random.random() < 0.8 else -value)
        return
    number, _, unit = value.partition(" ")
    try:
        put(data, path, f"{float(number.rstrip('%')) * factor:g}{'%' if number.endswith('%') else ' ' + unit}")
    except ValueError:
        put(data, path, value * 2)


def swap(data: Any, random: Random) -> None:
    one, other = random.sample(paths(data), 2)
    if one != other[: len(one)] and other != one[: len(other)]:
        first, second = get(data, one), get(data, other)
        put(data, one, second)
        put(data, other, first)


def swap_sections(data: Any, random: Random) -> None:
    one, other = random.sample(list(data), 2)
    data[one], data[other] = data[other], data[one]


def transplant(data: Any, random: Random) -> None:
    """A value from elsewhere that stands under the same key."""
    places = paths(data)
    path = random.choice(places)
    alike = [other for other in places if other[-1] == path[-1] and other != path]
    if alike:
        put(data, path, copy.deepcopy(get(data, random.choice(alike))))


def rename(data: Any, random: Random) -> None:
    """A key misspelt, or made very long, or given to something else."""
    path = random.choice([path for path in paths(data) if isinstance(path[-1], str)])
    parent, key = get(data, path[:-1]), str(path[-1])
    new = random.choice(
        [key + "s", key[1:], key[::-1], key.upper(), key * 40, "by", "else", "next", "of", "1", "é", key + " x"]
    )
    items = [(new if name == key else name, value) for name, value in parent.items()]
    parent.clear()
    parent.update(items)


def dangle(data: Any, random: Random) -> None:
    """A word misspelt, so that a name refers to nothing."""
    leaves = [path for path in paths(data) if isinstance(get(data, path), str)]
    path = random.choice(leaves)
    value = get(data, path)
    put(data, path, random.choice([value + "x", value[:-1], value.replace("_", "-"), value * 30, value + " " + value]))


def redirect(data: Any, random: Random) -> None:
    """A way on to another step: cycles, steps nobody reaches."""
    steps = list(data.get("pathway") or {})
    ways = [
        path
        for path in paths(data)
        if path[-1] in ("next", "go", "else", "begins") and isinstance(get(data, path), str)
    ]
    if steps and ways:
        put(data, random.choice(ways), random.choice(steps))


def add_key(data: Any, random: Random) -> None:
    """A word that stands elsewhere, in a place where it may not belong."""
    places = paths(data)
    source = random.choice([path for path in places if isinstance(path[-1], str)])
    target = get(data, random.choice([path for path in places if isinstance(get(data, path), dict)]))
    target[source[-1]] = copy.deepcopy(get(data, source))


def repeat(data: Any, random: Random) -> None:
    lists = [path for path in paths(data) if isinstance(get(data, path), list)]
    if lists:
        path = random.choice(lists)
        put(data, path, get(data, path) * random.choice([2, 20, 300]))


def multiply(data: Any, random: Random) -> None:
    """Many copies of one named thing."""
    path = random.choice([path for path in paths(data) if isinstance(path[-1], str)])
    parent = get(data, path[:-1])
    for number in range(random.choice([2, 60, 600])):
        parent[f"{path[-1]}_{number}"] = copy.deepcopy(parent[path[-1]])


def nest(data: Any, random: Random) -> None:
    path = random.choice(paths(data))
    value = get(data, path)
    for _ in range(random.choice([1, 5, 30, 200])):
        value = random.choice(
            [
                {"times": [value]},
                {"by": "acuity", "else": value},
                [value],
                {"chance": value},
                {"share": "50%", "of": value},
            ]
        )
    put(data, path, value)


ELECTIVES = ("entities", "elective", "arrive", "timetable")
AGAIN = ("pathway", "home", "again")
INSTANT = {"exponential": {"mean": "1e-9 min"}}
HUGE: list[tuple[Where, Any, str]] = [
    (("entities", "emergency", "arrive", "rate", "per_day"), 9e6, "would come in one episode"),
    (("entities", "emergency", "arrive", "rate", "per_day"), 10**12, "should be at most"),
    (("vary", "demand"), {"constant": 1e6}, "would come in one episode"),
    (("clock", "episode"), "10000 days", "more than ten years"),
    (("clock", "episode"), "1e9 min", "more than ten years"),
    (("clock", "decide_every"), "0.001 s", "decisions are asked for"),
    (("clock", "decide_every"), "1e-12 s", "decisions are asked for"),
    (("places", "ward_bed", "count"), 10**9, "at most 100000"),
    (("staff", "nurse", "count"), 10**12, "at most 100000"),
    (("slots", "boarders", "top"), 10**6, "at most 32"),
    (ELECTIVES, [{"at": "08:00", "count": 10_000}] * 300, "by timetable in one episode"),
    (ELECTIVES, [{"at": "08:00", "count": 10**9}], "at most 10000"),
    (("entities", "resident", "arrive"), {"at_start": {"count": 10**6}}, "at most 100000"),
    (AGAIN, {"chance": 1, "after": "0 min", "as": "returner"}, "back at once"),
    (AGAIN, {"chance": 1, "after": INSTANT, "as": "returner"}, "back at once"),
    (("pathway", "review", "wait"), INSTANT, "no time need pass in the loop"),
    (("health", "untreated", "states", "worse", "stable"), {"hazard": "1e9 per_hour"}, "more than one a second"),
    (("health", "untreated", "states", "worse", "stable"), {"after": "0 min"}, "longer than 0"),
    (("health", "untreated", "states", "worse", "stable"), {"after": INSTANT}, "next to no time"),
    (("health", "untreated", "states", "worse", "stable"), {"hazard": {"times": [1e9, "1 per_h"]}}, "next to no time"),
    (("pathway", "draw", "for"), {"erlang": {"mean": "1 min", "stages": 10**9}}, "at most 1000"),
    (("pathway", "draw", "for"), {"lognormal": {"mean": "1 min", "cv": 1e9}}, "at most 100"),
    (("pathway", "draw", "for"), {"weibull": {"mean": "1 min", "shape": 1e-3}}, "at least 0.1"),
    (("extends",), "x" * 4000, "no scenario"),
]
"""What is too much, and what the answer says."""


def replaced(data: Any, path: Where, value: Any) -> None:
    put(data, path, copy.deepcopy(value))


def enormous(data: Any, random: Random) -> None:
    """More than anybody can simulate."""
    path, value, _ = random.choice(HUGE)
    try:
        replaced(data, path, value)
    except (KeyError, TypeError, IndexError):
        put(data, ("clock",), {"episode": "1e9 days", "decide_every": "1 s"})


def plausible(data: Any, random: Random) -> None:
    """Another value of the right form, some of them odd."""
    path = random.choice([path for path in paths(data) if path[-1] in PLAUSIBLE])
    put(data, path, copy.deepcopy(random.choice(PLAUSIBLE[str(path[-1])])))


def plausible_extra(data: Any, random: Random) -> None:
    """A word that a step did not have, with a value of the right form."""
    steps = [step for step in (data.get("pathway") or {}).values() if isinstance(step, dict)]
    word = random.choice(
        [
            "set",
            "mark",
            "mark_end",
            "or",
            "preempt",
            "priority",
            "same",
            "queue",
            "with",
            "again",
            "shorten",
            "for",
            "next",
        ]
    )
    if steps and word in PLAUSIBLE:
        random.choice(steps)[word] = copy.deepcopy(random.choice(PLAUSIBLE[word]))


def reroute(data: Any, random: Random) -> None:
    """Another way on, by chance or condition."""
    steps = list(data.get("pathway") or {})
    path = random.choice([path for path in paths(data) if path[-1] in ("next", "go", "else")] or [("pathway",)])
    one, other = random.choice(steps), random.choice(steps)
    ways: list[Any] = [
        one,
        {"split": {one: "50%", other: "else"}},
        {"split": {"by": "acuity", "1": {one: 1}, "else": {other: 1}}},
        {"when": [{"if": random.choice(CONDITIONS), "go": one}, {"else": other}]},
    ]
    put(data, path, random.choice(ways))


OF_DATA: list[Callable[[Any, Random], None]] = [
    drop,
    nasty,
    nasty_scalar,
    nasty_scalar,
    scale,
    scale,
    swap,
    swap_sections,
    transplant,
    transplant,
    rename,
    dangle,
    redirect,
    redirect,
    add_key,
    repeat,
    multiply,
    nest,
    enormous,
    plausible,
    plausible,
    plausible,
    plausible,
    plausible_extra,
    plausible_extra,
    reroute,
    reroute,
]


# ---------------------------------------------------------------- of the text
def junk(text: str, random: Random) -> bytes:
    raw = bytearray(text.encode())
    at = random.randrange(len(raw))
    raw[at : at + random.choice([0, 1, 50])] = random.randbytes(random.choice([1, 4, 400]))
    return bytes(raw)


def cut(text: str, random: Random) -> bytes:
    return text[: random.randrange(len(text))].encode()


def tab(text: str, random: Random) -> bytes:
    lines = text.splitlines()
    at = random.randrange(len(lines))
    lines[at] = random.choice(["\t" + lines[at], lines[at].replace("  ", "\t", 1), lines[at].replace(": ", ":\t", 1)])
    return "\n".join(lines).encode()


def duplicate_line(text: str, random: Random) -> bytes:
    lines = text.splitlines()
    at = random.randrange(len(lines))
    return "\n".join([*lines[: at + 1], *lines[at : at + random.choice([1, 1, 5])], *lines[at + 1 :]]).encode()


def drop_lines(text: str, random: Random) -> bytes:
    lines = text.splitlines()
    at = random.randrange(len(lines))
    return "\n".join([*lines[:at], *lines[at + random.choice([1, 2, 10]) :]]).encode()


def indent(text: str, random: Random) -> bytes:
    lines = text.splitlines()
    at = random.randrange(len(lines))
    lines[at] = random.choice([" " + lines[at], lines[at][1:], "      " + lines[at], lines[at].lstrip()])
    return "\n".join(lines).encode()


def character(text: str, random: Random) -> bytes:
    at = random.randrange(len(text))
    return (
        text[:at] + random.choice("{}[]:,&*!|>'\"%@`#-?=\\\0\x85\u2028 \n") + text[at + random.choice([0, 1]) :]
    ).encode()


def bomb(text: str, random: Random) -> bytes:
    """Anchors that would expand to a billion values."""
    rows = ["bomb0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"bomb{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return ("\n".join(rows) + "\n" + text if random.random() < 0.5 else text + "\n" + "\n".join(rows)).encode()


def deep(text: str, random: Random) -> bytes:
    depth = random.choice([50, 5_000, 400_000])
    return (text + "\ndeep: " + random.choice(["[", "{a: ", "- "]) * depth).encode()


def large(text: str, random: Random) -> bytes:
    return (
        text + random.choice(["# remark\n" * 120_000, "\n" * 1_100_000, "x" * 1_100_000, "a: 1\n" * 19_000])
    ).encode()


OF_TEXT: list[Callable[[str, Random], bytes]] = [
    junk,
    cut,
    tab,
    duplicate_line,
    duplicate_line,
    drop_lines,
    drop_lines,
    indent,
    character,
    bomb,
    deep,
    large,
]


def written(data: Any) -> str:
    """The data as a YAML file (in JSON's notation, one section on each line)."""
    rows = [f"{json.dumps(key)}: {json.dumps(value, indent=1)}" for key, value in data.items()]
    text = "\n".join(rows)
    for special in (".inf", "-.inf", ".nan"):
        text = text.replace(f'"@{special}"', special)
    return text


def mutated(text: str, data: Any, seed: int, of_data: list[Any] = OF_DATA) -> bytes:
    """A mutated file: one to three mutations of the data, or one of the text."""
    random = Random(seed)
    if random.random() < 0.25:
        return random.choice(OF_TEXT)(text, random)
    changed = copy.deepcopy(data)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        if isinstance(changed, dict) and len(paths(changed)) > 3:
            random.choice(of_data)(changed, random)
    return written(changed).encode("utf-8", "surrogatepass")
