"""What names mean inside a template, or in what is repeated for each of its sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marl_health.spec.numbers import read_key
from marl_health.worlds.flow.expand.positions import SECTIONS
from marl_health.worlds.flow.model.sites import read_parameter

SET = ("mark", "mark_end", "mark_reached", "mark_off")
"""Words that set marks."""
HERE = "here"
"""In a template, and in what is repeated for each site: the name of that site."""


@dataclass
class Template:
    """What expansion needs to know of a template.

    Attributes:
        name: as in the file. parts: its sections. takes: the parameters that each of its sites gives.
        own: by section, the names that are local to a site. marks: those of its marks that are kept by site, too.
        sites: of its sites by name, what they say.
    """

    name: str
    parts: dict[str, dict[str, Any]]
    takes: dict[str, Any]
    own: dict[str, set[str]]
    marks: set[str] = field(default_factory=set)
    sites: dict[str, dict[str, Any]] = field(default_factory=dict)

    def has(self, name: str, sections: tuple[str, ...]) -> bool:
        """Whether a name is local, among those of some sections."""
        return any(name in self.own[section] for section in sections)


@dataclass(frozen=True)
class Scope:
    """One site of a template: names that it lists are those of the site, parameters have the values that it gives."""

    template: Template
    site: str
    parameters: Mapping[str, Any]

    def named(self, name: str) -> str:
        """What a local name is called in the whole scenario."""
        return f"{self.site}_{name}"


def read_template(name: str, said: Mapping[str, Any]) -> Template:
    """A template as it stands in the file, however wrong it may be."""
    parts = {section: dict(said[section]) for section in SECTIONS if isinstance(said.get(section), dict)}
    takes = said["takes"] if isinstance(said.get("takes"), dict) else {}
    own = {section: set(parts.get(section, ())) for section in SECTIONS}
    steps = [step for step in parts.get("pathway", {}).values() if isinstance(step, dict)]
    own["meet"] = {step["meet"] for step in steps if isinstance(step.get("meet"), str)}
    own["agents"] = set()
    return Template(name, parts, dict(takes), own)


def marks_of(template: Template) -> set[str]:
    """Marks that the steps and the health machines of a template set."""
    found: set[str] = set()
    stack: list[Any] = [template.parts.get(section) for section in ("pathway", "health")]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            found.update(name for word in SET for name in named(value.get(word)))
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def marks_waited_for(template: Template) -> set[str]:
    """Marks that the measures, timers and health of a template begin and end with."""
    found: set[str] = set()
    for section in ("measures", "timers", "health"):
        for part in template.parts.get(section, {}).values():
            for word in ("from", "to", "until") if isinstance(part, dict) else ():
                found.update(named(part.get(word)))
    return found


def named(value: Any) -> list[str]:
    """Names that stand in a value that is a name or a list of them."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def scope_of(template: Template, site: str) -> Scope:
    """The scope of one site."""
    said = template.sites[site]
    parameters = {word: said[word] for word in template.takes if word in said}
    return Scope(template, site, {**parameters, HERE: site})


def complaint_about(value: Any, takes: Any) -> str:
    """What is wrong with the value of a parameter; empty if nothing is."""
    try:
        read = read_parameter(value)
    except ValueError as error:
        return str(error)
    if takes == "number":
        return "" if isinstance(read, int | float) and not isinstance(read, bool) else "a number is needed here"
    if takes == "text":
        return "" if isinstance(read, str) else "a word is needed here"
    if isinstance(takes, list):
        allowed = [read_key(item) if isinstance(item, str) else item for item in takes]
        return "" if read in allowed else f"it is one of {', '.join(str(item) for item in takes)}"
    return ""
