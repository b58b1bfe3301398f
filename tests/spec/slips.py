"""Slips of newcomers, each an edit of a small valid scenario, with the line and the words of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SMALL = (HERE / "small_ed.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Slip:
    """An edit, the line that must be named (by what it holds), and what the message must say."""

    name: str
    edits: tuple[tuple[str, str], ...]
    at: str
    says: tuple[str, ...]

    def text(self) -> str:
        """The small scenario with the slip in it."""
        text = SMALL
        for old, new in self.edits:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text


def slip(name: str, old: str, new: str, at: str, *says: str) -> Slip:
    return Slip(name, ((old, new),), at, says)


SLIPS = [
    # ---------------------------------------------------------------- spelling and YAML
    slip("misspelt key", "for: 5 min", "lenght: 5 min", "triage:", "needs 'for'"),
    slip("misspelt key is named", "for: 5 min", "for: 5 min\n    prioritty: 2", "prioritty", "did you mean 'priority'"),
    slip("misspelt section", "staff:\n", "staf:\n", "staf:", "unknown word 'staf'", "did you mean 'staff'"),
    slip("misspelt verb", "    stay: {lognormal", "    stya: {lognormal", "recover:", "did you mean 'stay'"),
    slip("misspelt distribution", "{exponential:", "{exponental:", "after:", "did you mean 'exponential'"),
    slip("misspelt parameter", "sd: 9 min", "dev: 9 min", "dev: 9 min", "unknown word 'dev'", "sd"),
    slip(
        "duplicate key",
        "home: {leave",
        "triage: {leave: x}\n  home: {leave",
        "triage: {leave",
        "written twice",
        "keep one",
    ),
    slip("tab", "    for: 5 min", "\tfor: 5 min", "\tfor", "tab", "spaces"),
    slip(
        "no space after the colon",
        "for: 5 min",
        "for:5 min",
        "next: see_doctor",
        "a space is missing",
        "in line 37",
        "write 'for: 5 min'",
    ),
    slip("wrong schema word", "marl_health/v1", "marl_health/v2", "schema:", "write marl_health/v1"),
    slip("no name", "name: small_ed\n", "", "schema:", "needs 'name'"),
    slip("a name with a space", "name: small_ed", "name: small ed", "name:", "letters, digits and _", "small_ed"),
    slip("a step with a dash", "  gone: {leave", "  go-away: {leave", "go-away", "letters, digits and _", "go_away"),
    slip("wrong split", "split: train", "split: training", "split:", "train", "held_out"),
    # ---------------------------------------------------------------- units and numbers
    slip("forgotten unit", "for: 5 min", "for: 5", "for: 5", "duration with its unit", "30 min"),
    slip("forgotten unit in a distribution", "mean: 20 min", "mean: 20", "mean: 20", "same kind of unit"),
    slip("unknown unit", "for: 5 min", "for: 5 mim", "for: 5 mim", "did you mean min"),
    slip("a share where a time belongs", "for: 5 min", "for: 5%", "for: 5%", "a duration with its unit"),
    slip("a month", "decide_every: 30 min", "decide_every: 1 month", "decide_every", "write a number of days"),
    slip(
        "episode not divisible",
        "decide_every: 30 min",
        "decide_every: 50 min",
        "clock:",
        "whole number of decide_every",
    ),
    slip("negative sd", "sd: 6 h", "sd: -6 h", "sd: -6 h", "is negative"),
    slip("sd of zero", "sd: 6 h", "sd: 0 h", "lognormal: {mean: 18 h", "sd must be above 0"),
    slip("mean and sd in different units", "sd: 6 h", "sd: 6%", "sd: 6%", "same kind of unit"),
    slip("shares above 100%", "split: {scan: 35%", "split: {scan: 45%", "split: {scan", "110%", "else"),
    slip(
        "a share above 100%",
        "frail: {chance: 30%",
        "frail: {chance: 30",
        "frail:",
        "between 0 and 1",
        "did you mean 30%?",
    ),
    slip("choice above 100%", "{2: 20%, 3: 50%, 4: else}", "{2: 60%, 3: 50%}", "acuity:", "110%"),
    slip("shift at 25:00", "23:00: 2", "25:00: 2", "25:00", "from 00:00 to 24:00"),
    slip("shift without minutes", "07:00: 3", "7: 3", "7: 3", "07:30"),
    slip("wrong weekday", "starts: Monday 06:00", "starts: Munday 06:00", "starts:", "did you mean Monday"),
    slip("wrong weekday in a timetable", "[Monday, Tuesday]", "[Monday, Tusday]", "Tusday", "did you mean Tuesday"),
    slip("money with a sign", "costs: 90 usd per hour", "costs: $90 per hour", "costs:", "after the number"),
    slip("money without time", "costs: 90 usd per hour", "costs: 90 usd", "costs:", "usd per bed_hour"),
    # ---------------------------------------------------------------- names
    slip("misspelt step", "next: see_doctor", "next: see_docter", "next: see_docter", "did you mean 'see_doctor'"),
    slip("misspelt step in a split", "decide: 65%", "decied: 65%", "decied", "did you mean 'decide'"),
    slip("unknown staff", "use: triage_nurse", "use: triage_nurs", "use: triage_nurs", "did you mean 'triage_nurse'"),
    slip("place under use", "    use: triage_nurse", "    use: bay", "use: bay", "a place", "move_to"),
    slip("staff under move_to", "move_to: bay", "move_to: doctor", "move_to: doctor", "staff", "with"),
    slip("unknown queue", "queue: doctor_line", "queue: doctors_line", "queue:", "did you mean 'doctor_line'"),
    slip("unknown first step", "begins: triage", "begins: triaje", "begins: triaje", "did you mean 'triage'"),
    slip(
        "unknown entity type",
        "    for: walk_in\n    from",
        "    for: walkin\n    from",
        "for: walkin",
        "did you mean 'walk_in'",
    ),
    slip("unknown attribute", "if: needs_ward", "if: need_ward", "need_ward", "did you mean 'needs_ward'"),
    slip(
        "attribute that others lack",
        "begins: admit",
        "begins: triage",
        "for: {by: acuity, 2: 40",
        "planned",
        "no attribute 'acuity'",
        "give it one",
    ),
    slip("agent sees unknown thing", "bay.free]", "bay.fre]", "bay.fre", "did you mean 'bay.free'"),
    slip(
        "KPI of an unknown measure",
        "{of: to_doctor.mean}",
        "{of: todoctor.mean}",
        "todoctor",
        "did you mean 'to_doctor.mean'",
    ),
    slip(
        "KPI of an unknown statistic", "{of: to_doctor.mean}", "{of: to_doctor.avg}", "to_doctor.avg", "to_doctor.mean"
    ),
    slip(
        "mark that is never set",
        "to: seen, for",
        "to: sean, for",
        "to: sean",
        "no mark named 'sean'",
        "did you mean 'seen'",
    ),
    slip(
        "unknown agent in to",
        "{of: spent, worth: -1",
        "{of: spent, to: bed_manger, worth: -1",
        "bed_manger",
        "did you mean 'bed_manager'",
    ),
    slip("slots of a step that is no stay", "in: recover", "in: admit", "in: admit", "no stay or wait"),
    slip(
        "unknown slots",
        "choose: waiting_room",
        "choose: waitingroom",
        "choose: waitingroom",
        "did you mean 'waiting_room'",
    ),
    slip(
        "lever on an unknown queue",
        "      - {set: doctor.extra",
        "      - {set: doctors_line.order, to: {a: arrival, b: class}}\n      - {set: doctor.extra",
        "doctors_line.order",
        "did you mean 'doctor_line'",
    ),
    slip("lever on unknown staff", "set: doctor.extra", "set: docter.extra", "docter.extra", "did you mean 'doctor'"),
    slip("set without .extra", "set: doctor.extra", "set: doctor", "set: doctor", "RESOURCE.extra"),
    slip("levels that do not start at 0", "levels: [0, 1]", "levels: [1, 2]", "levels: [1, 2]", "must be 0"),
    Slip(
        "lever on an unlimited place",
        (("ward_bed: {count: 12}", "ward_bed: {count: unlimited}"), ("set: doctor.extra", "set: ward_bed.extra")),
        "set: ward_bed.extra",
        ("'ward_bed' is unlimited",),
    ),
    slip(
        "hidden attribute shown to agents", "show: [acuity, waited]", "show: [frail, waited]", "show: [frail", "hidden"
    ),
    slip(
        "shorten where nobody allows it",
        "    shorten: {at_least: 50%, mark: early, lead: 1 h}\n",
        "",
        "do: shorten",
        "shorten: {...}",
    ),
    # ---------------------------------------------------------------- ways on
    slip("missing next", "    for: 5 min\n    next: see_doctor", "    for: 5 min", "triage:", "needs next"),
    slip("missing else", "        - {else: home}\n", "", "next:", "the last branch must be {else: step}"),
    slip(
        "else before the end",
        "        - {if: needs_ward, go: admit}\n        - {else: home}",
        "        - {else: home}\n        - {if: needs_ward, go: admit}",
        "next:",
        "the last branch must be {else: step}",
    ),
    slip(
        "case missing in by",
        "2: 40 min, else: {lognormal: {mean: 20 min, sd: 9 min}}}",
        "2: 40 min}",
        "for: {by: acuity, 2: 40",
        "no case for acuity = 3, 4",
        "or else",
    ),
    slip(
        "case that never happens",
        "{by: acuity, 2: 40%, else: 10%}",
        "{by: acuity, 1: 40%, else: 10%}",
        "1: 40%",
        "acuity is never '1'",
    ),
    slip("= in a condition", "if: needs_ward", "if: acuity = 2", "acuity = 2", "write '==' instead of '='"),
    slip(
        "a value that never happens",
        "if: needs_ward",
        "if: acuity == 5",
        "acuity == 5",
        "acuity is never '5'",
        "2, 3, 4",
    ),
    slip(
        "a word compared as a number",
        "if: needs_ward",
        "if: acuity == high",
        "acuity == high",
        "acuity is never 'high'",
    ),
    slip("yes compared by size", "if: needs_ward", "if: needs_ward > 1", "needs_ward > 1", "yes or no"),
    slip("a number used as yes or no", "if: needs_ward", "if: acuity", "if: acuity", "compare"),
    slip("cycle without exit", "    next: decide\n", "    next: scan\n", "scan:", "from here nobody ever leaves"),
    Slip(
        "loop without time",
        (
            ("go: admit}", "go: again}"),
            ("  home: {leave", "  again: {next: {split: {decide: 50%, admit: 50%}}}\n  home: {leave"),
        ),
        "again: {next",
        ("no time need pass in the loop again -> decide -> again", "give one step a duration"),
    ),
    Slip(
        "attribute that is a word here and a number there",
        (("    begins: admit", "    has: {acuity: {choice: {high: 10%, low: else}}}\n    begins: admit"),),
        "acuity: {choice: {high",
        ("'acuity' of walk_in is a plain number, but here it is a text", "choose another name"),
    ),
    slip(
        "step nobody reaches",
        "  gone: {leave: unseen}",
        "  gone: {leave: unseen}\n  lost: {leave: lost}",
        "lost:",
        "nobody ever comes here",
    ),
    slip(
        "resource nobody uses",
        "scanner: {count: 1}",
        "scanner: {count: 1}\n  old_scanner: {count: 1}",
        "old_scanner",
        "no step uses 'old_scanner'",
    ),
    slip(
        "two verbs in a step",
        "    use: triage_nurse",
        "    use: triage_nurse\n    visit: scanner",
        "triage:",
        "exactly one of use",
    ),
    slip(
        "a condition on the hospital",
        "if: needs_ward",
        "if: ward_bed.free > 0",
        "ward_bed.free",
        "is no attribute; a condition asks what the entity has",
        "needs_ward",
    ),
    slip(
        "a KPI without a statistic",
        "{of: to_doctor.mean}",
        "{of: to_doctor}",
        "{of: to_doctor}",
        "is no measure",
        "to_doctor.mean",
    ),
    slip(
        "a number that becomes a word",
        "    mark: seen\n",
        "    mark: seen\n    set: {acuity: {choice: {high: 50%, low: 50%}}}\n",
        "set: {acuity",
        "'acuity' is a plain number, so it cannot become a text",
    ),
    slip(
        "words and numbers in one choice",
        "{2: 20%, 3: 50%, 4: else}",
        "{2: 20%, urgent: 50%, 4: else}",
        "acuity: {choice",
        "words, numbers, or yes and no, but not a mixture",
    ),
    slip(
        "by without a case",
        "for: {by: acuity, 2: 40 min, else: {lognormal: {mean: 20 min, sd: 9 min}}}",
        "for: {by: acuity}",
        "for: {by: acuity}",
        "no case for acuity = 2, 3, 4",
        "add one, or else",
    ),
    slip(
        "by an attribute that is not there",
        "for: {by: acuity, 2: 40 min",
        "for: {by: acity, 2: 40 min",
        "by: acity",
        "did you mean 'acuity'",
    ),
    slip(
        "unlike units in one number",
        "{by: acuity, 2: 40 min, else",
        "{by: acuity, 2: 40%, else",
        "2: 40%",
        "a share and a duration with its unit",
    ),
    slip(
        "a name where a number belongs",
        "for: 5 min",
        "for: short",
        "for: short",
        "nothing here is named 'short'",
        "a duration with its unit",
    ),
    slip("a queue without classes", "classes: acuity, order", "order", "order: class", "needs classes"),
    slip("a mark that sets itself", "mark: admitted", "mark: discharge", "mark: discharge", "set by itself"),
    slip(
        "slots nobody uses",
        "sees: [ward_bed.free, recovering]\n    can:\n      - {choose: recovering, do: shorten}",
        "sees: [ward_bed.free]\n    can:\n      - {call_in: doctor, count: 1, for: 4 h}",
        "recovering: {in",
        "no agent sees or chooses from 'recovering'",
        "or remove it",
    ),
    slip(
        "entity type that never comes",
        "  planned:\n    arrive:\n      timetable:\n        - {at: 08:00, on: [Monday, Tuesday], count: 3}\n",
        "  planned:\n",
        "planned:",
        "nobody of this type ever comes",
        "give it arrive",
    ),
    slip(
        "table of plain numbers as durations",
        "for: 5 min",
        "for: {by: acuity, table: arrivals.csv, column: weight}",
        "for: {by: acuity, table",
        "a duration with its unit",
        "times: [1 min",
    ),
    slip(
        "table without a row",
        "for: 5 min",
        "for: {times: [1 min, {by: kind, table: arrivals.csv, column: weight}]}",
        "by: kind, table",
        "no case for kind = walk_in",
    ),
    # ---------------------------------------------------------------- files
    slip(
        "missing table",
        "table: arrivals.csv",
        "table: arrivals2.csv",
        "arrivals2.csv",
        "there is no table 'arrivals2.csv'",
    ),
    slip("misspelt column", "column: weight", "column: wieght", "column: wieght", "did you mean 'weight'"),
    slip("table outside", "table: arrivals.csv", "table: ../../pyproject.toml", "pyproject", "leads out of the folder"),
    slip("absolute table", "table: arrivals.csv", "table: /etc/passwd", "passwd", "relative"),
    slip("extends unknown", "name: small_ed", "name: small_ed\nextends: small_de", "extends", "no scenario 'small_de'"),
    slip(
        "both rate and timetable",
        "    begins: admit",
        "      rate: {per_day: 3}\n    begins: admit",
        "arrive:",
        "exactly one of rate, timetable",
    ),
    slip(
        "misspelt arrival process",
        "{per_day: 60,",
        "{per_day: 60, process: poison,",
        "process: poison",
        "no arrival process named 'poison'",
        "did you mean 'poisson'",
    ),
    slip("wrong number of weights", "{table: arrivals.csv, column: weight}", "[1, 2, 3]", "by_hour: [1, 2, 3]", "24"),
]
