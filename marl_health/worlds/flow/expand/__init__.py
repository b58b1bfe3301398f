"""Sites made from templates: a scenario is written out in full before it is validated and compiled.

What a template lists belongs to each site that is ``like`` it, under the name ``SITE_NAME``. Inside the template, and
in what is repeated for ``each`` of its sites, such names are the site's own. Everywhere else ``TEMPLATE.NAME`` means

* in a way on, the step of the site where the entity is;
* in a list of staff, steps or kinds, those of all sites;
* in what is seen, scored or reported, the sum over all sites;

and ``SITE.NAME`` means that of one site. Attributes, marks, outcomes and totals are common to all sites; but a mark
that a measure, timer or health machine of the template begins or ends with, or at which the agents of its sites decide,
is kept by site as well.
"""

from __future__ import annotations

from typing import Any

from marl_health.spec.document import Document
from marl_health.spec.errors import Problem, ScenarioError, Where
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.expand.positions import POSITIONS, SECTIONS
from marl_health.worlds.flow.expand.rewriting import EACH, Rewriter
from marl_health.worlds.flow.expand.scope import (
    HERE,
    Template,
    complaint_about,
    marks_of,
    marks_waited_for,
    named,
    read_template,
    scope_of,
)

OF_SITES = ("at", "like", "source", "note")


def expanded(document: Document) -> Document:
    """A document in which every site has what its template lists; itself if it has neither sites nor templates.

    Raises:
        ScenarioError: what is wrong with sites, templates, and what refers to them.
    """
    data = document.data
    sites, said = data.get("sites", {}), data.get("templates", {})
    if ("sites" not in data and "templates" not in data) or not isinstance(sites, dict) or not isinstance(said, dict):
        return document
    templates = {name: read_template(name, part) for name, part in said.items() if isinstance(part, dict)}
    if len(templates) < len(said):
        return document  # validation tells what is wrong
    problems: list[Problem] = []
    _made_from(document, sites, templates, problems)
    if problems:
        raise ScenarioError(problems)
    _own_marks(data, templates)
    _roles(data, templates)
    rewriter = Rewriter(document, templates)
    made: dict[str, Any] = {}
    for section, part in data.items():
        if section in ("sites", "templates"):
            made[section] = part
        elif section in ("agents", "kpis") and isinstance(part, dict):
            made[section] = _repeated(rewriter, section, part)
        else:
            made[section] = rewriter.copy(part, (section,), (section,), POSITIONS.get(section), None)
    for template in templates.values():
        for site in template.sites:
            _add(rewriter, made, template, site)
    if rewriter.problems:
        raise ScenarioError(
            sorted(dict.fromkeys(rewriter.problems), key=lambda problem: (problem.line, problem.column))
        )
    return Document(document.file, made, {**document.places, **rewriter.places})


def sketched(document: Document) -> dict[str, Any] | None:
    """The data of a document of whose sites that are made from the same template only the first is left.

    ``None`` if there are no such sites, or if others are referred to by name.
    """
    sites = document.data.get("sites")
    if "templates" not in document.data or not isinstance(sites, dict):
        return None
    first: dict[str, str] = {}
    for site, said in sites.items():
        if isinstance(said, dict) and isinstance(said.get("like"), str):
            first.setdefault(said["like"], site)
    left = {
        site: said
        for site, said in sites.items()
        if not isinstance(said, dict) or said.get("like") is None or site in first.values()
    }
    try:
        whole = expanded(Document(document.file, {**document.data, "sites": left}, dict(document.places))).data
    except ScenarioError:
        return None
    return {section: part for section, part in whole.items() if section != "templates"} | {"sites": sites}


def _made_from(
    document: Document, sites: dict[str, Any], templates: dict[str, Template], problems: list[Problem]
) -> None:
    """Note which sites are made from which template, and whether they give what it takes."""

    def problem(path: Where, message: str) -> None:
        problems.append(document.problem(path, message))

    for name, template in templates.items():
        for word in template.takes:
            if word == HERE or any(word in template.own[section] for section in SECTIONS):
                problem(("templates", name, "takes", word), f"'{word}' stands for something else here; rename one")
        if name in sites:
            problem(("templates", name), f"'{name}' is also a site; every name stands for one thing")
    for site, said in sites.items():
        like = said.get("like") if isinstance(said, dict) else None
        if not isinstance(like, str):
            continue
        where: Where = ("sites", site)
        if like not in templates:
            problem((*where, "like"), f"there is no template named '{like}'{did_you_mean(like, templates)}")
            continue
        template = templates[like]
        template.sites[site] = said
        for word, takes in template.takes.items():
            if word not in said:
                problem(where, f"the template '{like}' takes {word}; say what it is here, as in {word}: ...")
                continue
            complaint = complaint_about(said[word], takes)
            if complaint:
                problem((*where, word), complaint)
        for word in said:
            if word not in template.takes and word not in OF_SITES:
                hint = did_you_mean(word, [*template.takes, *OF_SITES])
                problem((*where, word), f"the template '{like}' takes no '{word}'{hint}")


def _own_marks(data: dict[str, Any], templates: dict[str, Template]) -> None:
    """Settle which marks are kept by site."""
    counted = {text.rpartition(".")[0] for text in _texts(data) if text.endswith((".count", ".first", ".peak"))}
    agents = data.get("agents")
    repeated = [one for one in (agents.values() if isinstance(agents, dict) else ()) if isinstance(one, dict)]
    for template in templates.values():
        decided = {mark for one in repeated if one.get(EACH) == template.name for mark in named(one.get("decides"))}
        template.marks = marks_of(template) & (marks_waited_for(template) | counted | decided)


def _texts(data: dict[str, Any]) -> set[str]:
    """References in what is repeated for each site, of what agents see, of score and KPIs."""
    found: set[str] = set()
    stack: list[Any] = [data.get(section) for section in ("agents", "score", "kpis")]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if EACH in value:
                found.update(text for key in ("of", "per", "see") for text in [value.get(key)] if isinstance(text, str))
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def _roles(data: dict[str, Any], templates: dict[str, Template]) -> None:
    """Inside of what is repeated for each site, the name of a role is that of the site's own agent."""
    agents = data.get("agents")
    for role, agent in agents.items() if isinstance(agents, dict) else ():
        each = agent.get(EACH) if isinstance(agent, dict) else None
        if isinstance(each, str) and each in templates:
            templates[each].own["agents"].add(role)


def _repeated(rewriter: Rewriter, section: str, part: dict[str, Any]) -> dict[str, Any]:
    """A section in which what says ``each`` stands once for each site, under the name SITE_NAME."""
    made: dict[str, Any] = {}
    spec = POSITIONS[section]["*"]
    for name, definition in part.items():
        old: Where = (section, name)
        for one, scope in rewriter.each(definition, old, None):
            title = name if scope is None else scope.named(name)
            if title in made or (scope is not None and title in part):
                rewriter.problem(old, f"'{title}' is there already; choose another name", scope)
            made[title] = rewriter.copy(one, old, (section, title), spec, scope)
            if scope is not None and section == "agents":
                made[title] |= {"role": name, "site": scope.site}
    return made


def _add(rewriter: Rewriter, made: dict[str, Any], template: Template, site: str) -> None:
    """Add what a template lists to the scenario, under the names of one site."""
    scope = scope_of(template, site)
    for section, part in template.parts.items():
        whole = made.setdefault(section, {})
        if not isinstance(whole, dict):
            continue  # validation tells what is wrong
        rewriter.places.setdefault((section,), rewriter.document.locate(("templates", template.name, section)))
        for name, definition in part.items():
            old: Where = ("templates", template.name, section, name)
            title = scope.named(name)
            if title in whole:
                rewriter.problem(old, f"'{title}' is there already; choose another name", scope)
                continue
            copied = rewriter.copy(definition, old, (section, title), POSITIONS.get(section, {}).get("*"), scope)
            if section == "entities" and isinstance(copied, dict):
                copied.setdefault("at", site)
            if section == "places" and isinstance(copied, dict):
                copied.setdefault("department", site)  # pictures show together what is at one site
            whole[title] = copied


def told_once(problems: list[Problem], document: Document) -> list[Problem]:
    """Problems of which those that a template has at several sites are told once.

    Args:
        problems: in order.
        document: what was expanded.
    """
    sites = document.data.get("sites")
    if not isinstance(sites, dict) or "templates" not in document.data:
        return problems
    first: dict[Any, Problem] = {}
    others: dict[Any, int] = {}
    for problem in problems:
        path, message = problem.path, problem.message
        for site in sites:
            path, message = path.replace(f"{site}_", ""), message.replace(f"{site}_", "").replace(f"{site}: ", "")
        key = (problem.file, problem.line, problem.column, path, message)
        others[key] = others.get(key, -1) + 1
        first.setdefault(key, problem)
    return [
        problem
        if not others[key]
        else Problem(
            problem.file,
            problem.line,
            problem.column,
            problem.path,
            f"{problem.message} (and so at {others[key]} other site{'s' if others[key] > 1 else ''})",
        )
        for key, problem in first.items()
    ]
