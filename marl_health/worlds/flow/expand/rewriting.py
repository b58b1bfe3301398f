"""Rewrites parts of a scenario: names of a template become those of one site, or of all its sites."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marl_health.spec.conditions import And, Compare, Condition, In, Not, Or, parse_condition
from marl_health.spec.document import Document
from marl_health.spec.errors import Location, Problem, Where
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.expand import positions as at
from marl_health.worlds.flow.expand.parameters import NoCase, chosen, worked_out
from marl_health.worlds.flow.expand.scope import HERE, Scope, Template, named, scope_of

WORDS = {"pathway": "step", "entities": "entity type", "places": "place", "queues": "queue", "slots": "slot list"}
EACH = "each"


class Rewriter:
    """Copies parts of a document with the names in them rewritten, and notes where every value was written.

    Attributes:
        places: of all that was copied. problems: what goes wrong.
        templates: by name; sites: the template of each site that is made from one.
    """

    def __init__(self, document: Document, templates: dict[str, Template]) -> None:
        self.document = document
        self.templates = templates
        self.sites = {site: template for template in templates.values() for site in template.sites}
        self.places: dict[Where, Location] = {}
        self.problems: list[Problem] = []

    def problem(self, old: Where, message: str, scope: Scope | None = None) -> None:
        """Note that something is wrong with a value of the document."""
        whose = f"{scope.site}: " if scope is not None else ""
        self.problems.append(self.document.problem(old, whose + message))

    # ------------------------------------------------------------ walking
    def copy(self, value: Any, old: Where, new: Where, spec: Any, scope: Scope | None) -> Any:
        """A value that stands at ``old`` of the document, rewritten, as it is to stand at ``new``.

        Args:
            value: of the document.
            old: where it stands.
            new: where it is to stand.
            spec: what is where in it: see :mod:`marl_health.worlds.flow.expand.positions`.
            scope: whose names it uses; ``None`` outside of templates.
        """
        self.places[new] = self.document.locate(old)
        if scope is not None and new[-1] not in ("source", "note"):
            value, old = self._settled(value, old, new, scope)
        if isinstance(spec, at.Named):
            return self._named(value, old, spec, scope)
        if isinstance(spec, at.Form):
            return self._form(value, old, new, spec, scope)
        if isinstance(value, dict):
            below = {"if": at.CONDITION, **spec} if isinstance(spec, dict) else {"if": at.CONDITION}
            return {
                key: self.copy(item, (*old, key), (*new, key), below.get(key, below.get("*")), scope)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.copy(item, (*old, number), (*new, number), None, scope) for number, item in enumerate(value)]
        return value

    def _settled(self, value: Any, old: Where, new: Where, scope: Scope) -> tuple[Any, Where]:
        """A value in which parameters are replaced by what the site gives, and where that stands."""
        while isinstance(value, dict):
            try:
                number = worked_out(value, scope.parameters, new)
                if number is not None:
                    return number, old
                key = chosen(value, scope.parameters)
            except NoCase as error:
                self.problem(old, str(error), scope)
                return 0, old
            if key is None:
                return value, old
            value, old = value[key], (*old, key)
        if isinstance(value, str) and value in scope.parameters:
            return scope.parameters[value], old
        return value, old

    def several(self, entries: Any, old: Where, new: Where, entry: Any, scope: Scope | None) -> Any:
        """A list in which an entry that says ``each`` stands once for each site.

        Args:
            entries: of the document.
            old: where they stand.
            new: where they are to stand.
            entry: a function of an entry that tells what is where in it.
            scope: whose names they use.
        """
        if not isinstance(entries, list):
            return entries
        made: list[Any] = []
        for number, item in enumerate(entries):
            before = (*old, number)
            for one, inner in self.each(item, before, scope):
                made.append(self.copy(one, before, (*new, len(made)), entry(one), inner))
        return made

    def each(self, item: Any, old: Where, scope: Scope | None) -> Iterable[tuple[Any, Scope | None]]:
        """What is repeated for each site of a template, with the scope of each; else the thing itself."""
        if not isinstance(item, dict) or EACH not in item:
            return [(item, scope)]
        name = item[EACH]
        if not isinstance(name, str) or name not in self.templates:
            hint = did_you_mean(str(name), self.templates)
            self.problem((*old, EACH), f"there is no template named '{name}'{hint}")
            return []
        template = self.templates[name]
        if not template.sites:
            self.problem((*old, EACH), f"no site is made from '{name}'; write like: {name} at one")
        rest = {key: value for key, value in item.items() if key != EACH}
        return [(rest, scope_of(template, site)) for site in template.sites]

    # ------------------------------------------------------------ names
    def resolve(self, name: str, sections: tuple[str, ...], old: Where, scope: Scope | None) -> list[str]:
        """What a name stands for in the whole scenario: one name, or those of all sites of a template."""
        if scope is not None and scope.template.has(name, sections):
            return [scope.named(name)]
        head, dot, tail = name.partition(".")
        if not dot:
            return [name]
        template = self.templates.get(head) or self.sites.get(head)
        if template is None:
            known = [*self.templates, *self.sites]
            self.problem(old, f"there is no template or site named '{head}'{did_you_mean(head, known)}", scope)
            return []
        if not template.has(tail, sections):
            what = WORDS.get(sections[0], "thing")
            known = sorted(word for section in sections for word in template.own[section])
            self.problem(
                old, f"the template '{template.name}' has no {what} '{tail}'{did_you_mean(tail, known)}", scope
            )
            return []
        return [f"{site}_{tail}" for site in ([head] if head in self.sites else template.sites)]

    def _named(self, value: Any, old: Where, spec: at.Named, scope: Scope | None) -> Any:
        if isinstance(value, str):
            found = self.resolve(value, spec.sections, old, scope)
            if len(found) == 1 or (spec.several and found):
                return found[0] if len(found) == 1 else found
            if found:
                one = f"{next(iter(self.templates[value.partition('.')[0]].sites))}.{value.partition('.')[2]}"
                self.problem(old, f"'{value}' is one at each site; write that of one, such as {one}", scope)
            return value
        if isinstance(value, list) and spec.several:
            return [
                name
                for number, item in enumerate(value)
                for name in (
                    self.resolve(item, spec.sections, (*old, number), scope) if isinstance(item, str) else [item]
                )
            ]
        return value

    # ------------------------------------------------------------ forms
    def _form(self, value: Any, old: Where, new: Where, form: at.Form, scope: Scope | None) -> Any:
        if form is at.WAY:
            return self._way(value, old, new, scope)
        if form is at.CONDITION:
            return self._condition(value, scope)
        if form is at.REFERENCE:
            return self._reference(value, old, scope)
        if form is at.SETTING:
            return self._setting(value, old, new, scope)
        if form is at.STAMP:
            found = [mark for name in named(value) for mark in self._stamps(name, scope)]
            return value if not isinstance(value, str | list) else found[0] if len(found) == 1 else found
        if form is at.MARK:
            own = scope.template.marks if scope is not None else ()
            found = [scope.named(name) if scope is not None and name in own else name for name in named(value)]
            return value if not isinstance(value, str | list) else found[0] if isinstance(value, str) else found
        if form is at.SEES:
            return self._sees(value, old, new, scope)
        assert form is at.SEVERAL
        of_entry = at.of_move if new[0] == "agents" else lambda entry: at.WORTH
        return self.several(value, old, new, of_entry, scope)

    def _stamps(self, mark: str, scope: Scope | None) -> list[str]:
        own = scope is not None and mark in scope.template.marks
        return [mark, scope.named(mark)] if scope is not None and own else [mark]

    def _condition(self, value: Any, scope: Scope | None) -> Any:
        """A condition that asks for the kind of somebody by a local name."""
        if not isinstance(value, str):
            return value
        try:
            condition = parse_condition(value)
        except ValueError:
            return value  # what is wrong with it is told when it is read
        rewritten = self._asked(condition, scope)
        return value if rewritten == condition else str(rewritten)

    def _asked(self, condition: Condition, scope: Scope | None) -> Condition:
        if isinstance(condition, And | Or):
            return type(condition)(tuple(self._asked(part, scope) for part in condition.parts))
        if isinstance(condition, Not):
            return Not(self._asked(condition.part, scope))
        if isinstance(condition, Compare) and isinstance(condition.value, str):
            found = self._words(condition.name, condition.value, scope)
            if found == [condition.value]:
                return condition
            asked: Condition = In(condition.name, tuple(found))
            if len(found) == 1:
                return Compare(condition.name, condition.op, found[0])
            return Not(asked) if condition.op == "!=" else asked
        if isinstance(condition, In):
            words = [
                word
                for value in condition.values
                for word in (self._words(condition.name, value, scope) if isinstance(value, str) else [value])
            ]
            return condition if tuple(words) == condition.values else In(condition.name, tuple(words))
        return condition

    def _words(self, name: str, word: str, scope: Scope | None) -> list[str]:
        """What a word in a condition stands for: local kinds of entities, this site, all sites of a template."""
        if name == "kind":
            return self.resolve(word, ("entities",), (), scope) or [word]
        if scope is not None and word == HERE:
            return [scope.site]
        if name == "site" and word in self.templates and word not in self.sites:
            return list(self.templates[word].sites)
        return [word]

    def _reference(self, value: Any, old: Where, scope: Scope | None) -> Any:
        """A reference such as ``bay.free``; that of a template stands for the sum over its sites."""
        if not isinstance(value, str):
            return value
        name, dot, what = value.rpartition(".")
        everything = tuple(at.SECTIONS)
        if not dot:
            return self.resolve(value, ("slots",), old, scope)[0] if value else value
        if scope is not None and name == HERE:
            return f"{scope.site}.{what}"
        if scope is not None and scope.template.has(name, everything):
            return f"{scope.named(name)}.{what}"
        if scope is not None and name in scope.template.marks:
            return f"{scope.named(name)}.{what}"
        head, inner, _ = name.partition(".")
        if head in self.sites and inner:
            found = self.resolve(name, everything, old, scope)
            return f"{found[0]}.{what}" if found else value
        if name in self.sites and self.sites[name].has(what, ("slots",)):
            return f"{name}_{what}"
        if head in self.templates and inner:
            self.resolve(name, everything, old, scope)  # which tells if there is no such thing
        return value

    def _setting(self, value: Any, old: Where, new: Where, scope: Scope | None) -> Any:
        """What a lever sets, such as ``bay.extra``; or attributes that change, whose values are nobody's names."""
        if not isinstance(value, str):
            return self.copy(value, old, new, None, scope)
        name, _, what = value.rpartition(".")
        found = self.resolve(name, tuple(at.SECTIONS), old, scope) if name else []
        if len(found) > 1:
            self.problem(old, f"'{value}' is one at each site; write each: {value.partition('.')[0]} beside it", scope)
        return f"{found[0]}.{what}" if len(found) == 1 else value

    def _sees(self, value: Any, old: Where, new: Where, scope: Scope | None) -> Any:
        """What an agent sees: of a template's slot list, the list of each site."""
        if not isinstance(value, list):
            return value
        made: list[Any] = []
        for number, item in enumerate(value):
            before = (*old, number)
            for one, inner in self.each(item, before, scope):
                place = (*new, len(made))
                if isinstance(one, dict):
                    seen = self.copy(one, before, place, {"see": at.REFERENCE}, inner)
                    made.append(seen["see"] if isinstance(seen, dict) and seen.keys() == {"see"} else seen)
                    continue
                head, _, tail = one.partition(".") if isinstance(one, str) else ("", "", "")
                template = self.templates.get(head)
                if template is not None and template.has(tail, ("slots",)):
                    made.extend(f"{site}_{tail}" for site in template.sites)
                else:
                    made.append(self._reference(one, before, inner))
                for again in range(place[-1], len(made)):  # type: ignore[arg-type]
                    self.places[(*new, again)] = self.document.locate(before)
        return made

    # ------------------------------------------------------------ ways on
    def _way(self, value: Any, old: Where, new: Where, scope: Scope | None) -> Any:
        """A way on; to a step of a template it leads at the site where the entity is."""
        self.places[new] = self.document.locate(old)
        if isinstance(value, str):
            found = self.resolve(value, ("pathway",), old, scope)
            return (
                self._at_site({name: name for name in found}, value, new) if len(found) > 1 else (found or [value])[0]
            )
        if not isinstance(value, dict):
            return value
        if "split" in value and isinstance(value["split"], dict):
            return self._split(value, old, new, scope)
        made: dict[str, Any] = {}
        for key, item in value.items():
            below, there = (*old, key), (*new, key)
            self.places[there] = self.document.locate(below)
            if key == "when" and isinstance(item, list):
                made[key] = [
                    self.copy(branch, (*below, number), (*there, number), _BRANCH, scope)
                    for number, branch in enumerate(item)
                ]
            elif key == "by":
                made[key] = item
            else:
                made[key] = self._way(item, below, there, scope)
        return made

    def _split(self, value: dict[str, Any], old: Where, new: Where, scope: Scope | None) -> Any:
        shares = value["split"]
        cases = {k: v for k, v in shares.items() if isinstance(v, dict)} if "by" in shares else {"": shares}
        steps = {
            step: self.resolve(step, ("pathway",), (*old, "split"), scope) for case in cases.values() for step in case
        }
        widest = max((len(found) for found in steps.values()), default=0)
        if widest <= 1:
            return self._shares(value, old, new, {step: (found or [step])[0] for step, found in steps.items()})
        template = next(self.templates[step.partition(".")[0]] for step, found in steps.items() if len(found) == widest)
        made: dict[str, Any] = {"by": "site"}
        for site in template.sites:
            named_here = {
                step: found[0] if len(found) == 1 else f"{site}_{step.partition('.')[2]}"
                for step, found in steps.items()
            }
            made[site] = self._shares(value, old, (*new, site), named_here)
        return made

    def _shares(self, value: dict[str, Any], old: Where, new: Where, steps: dict[str, str]) -> Any:
        made = self.copy(value, old, new, None, None)
        shares = made["split"]
        where = (*new, "split")
        if "by" in shares:
            made["split"] = {
                key: self._renamed(case, (*where, key), steps) if isinstance(case, dict) else case
                for key, case in shares.items()
            }
        else:
            made["split"] = self._renamed(shares, where, steps)
        return made

    def _renamed(self, shares: dict[str, Any], where: Where, steps: dict[str, str]) -> dict[str, Any]:
        for old, new in steps.items():
            if old in shares:
                self.places[(*where, new)] = self.places[(*where, old)]
        return {steps.get(name, name): share for name, share in shares.items()}

    def _at_site(self, found: dict[str, str], name: str, new: Where) -> dict[str, Any]:
        template, _, step = name.partition(".")
        sites = self.templates[template].sites
        for site in sites:
            self.places[(*new, site)] = self.places[new]
        return {"by": "site", **{site: f"{site}_{step}" for site in sites}}


_BRANCH = {"if": at.CONDITION, "go": at.WAY, "else": at.WAY}
