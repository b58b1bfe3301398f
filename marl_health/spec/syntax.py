"""Errors of the YAML scanner in plain words: what is wrong at the mark, and how that is usually mended."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

_SQUEEZED = re.compile(r"[\s-]*([A-Za-z_]\w{0,40}):([^\s:/][^:#{}\[\]]{0,40}?)\s*(?:#.*)?$")
_GOT = re.compile(r"found character (.+) that cannot start any token")


def plain_words(error: MarkedYAMLError, text: str) -> str:
    """Return a message for people who write scenarios, not parsers.

    Args:
        error: what the scanner or parser raised.
        text: the whole text, in which the cause may stand before the mark.
    """
    problem = str(error.problem or "")
    context = str(error.context or "")
    opened = f" (it begins in line {error.context_mark.line + 1})" if error.context_mark is not None else ""
    if "cannot start any token" in problem:
        found = _GOT.match(problem)
        character = found.group(1) if found else "this character"
        if character == repr("\t"):
            return "a tab stands here; use spaces"
        return f"a value cannot begin with {character}; put the value in quotes"
    if "mapping values are not allowed" in problem or "could not find expected ':'" in problem:
        squeezed = _squeezed(error, text)
        if squeezed:
            return squeezed
    if "mapping values are not allowed" in problem:
        return "a ':' is not expected here; check the indentation, and put a text that holds ': ' in quotes"
    if "could not find expected ':'" in problem:
        return "this line has no ':'; write 'key: value' with a space after it, and check the indentation"
    if "sequence entries are not allowed" in problem or "block sequence entries" in problem:
        return "a list entry ('- ') is not expected here; put it on a line of its own under its key"
    if "unexpected end of stream" in problem:
        return f"a quotation mark is never closed{opened}"
    if "document separator" in problem:
        return f"a '---' or '...' stands inside a quoted text{opened}"
    if "flow sequence" in context:
        return f"a ',' or ']' is missing, or a bracket too many{opened}"
    if "flow mapping" in context:
        return f"a ',' or '}}' is missing, or a brace too many{opened}"
    if "expected <block end>" in problem and ("'}'" in problem or "']'" in problem):
        return "a closing bracket that nothing opened; remove it"
    if "expected <block end>" in problem and "<scalar>" in problem:
        return "something follows a closed quotation mark; to write a quote inside quotes, use the other kind"
    if "expected <block end>" in problem:
        return f"does not line up with the lines before; keys that belong together start in one column{opened}"
    if "node content" in problem:
        return "a value is missing here, or a bracket or comma is too many"
    if "escape" in problem:
        return "a backslash in double quotes begins an escape; use single quotes or two backslashes"
    if "directive" in context or "directive" in problem:
        return "YAML directives ('%...') are not allowed; remove the line"
    if "alias" in context or "anchor" in context:
        return "'&' and '*' begin anchors, which are not allowed; write 'and', or put the text in quotes"
    if "tag" in context or "tag" in problem:
        return "'!' begins a tag, which is not allowed; write 'not', or put the text in quotes"
    if "block scalar" in context:
        return f"'|' or '>' begins a text of several lines, which starts on the next line{opened}"
    if "<document start>" in problem:
        return "does not belong to the keys before it; check the indentation and the brackets"
    if "mapping keys are not allowed" in problem:
        return "a '?' is not expected here; put a text that begins with '? ' in quotes"
    if "comment" in problem or "end marker" in problem:
        return "nothing may follow '...' on the same line"
    return f"is not YAML: {problem or context or 'cannot be read'}"


def _squeezed(error: MarkedYAMLError, text: str) -> str:
    """Return what to say if a line at or before the mark lacks the space after its colon, if it does."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return ""
    lines = text.splitlines()
    for number in range(min(mark.line, len(lines) - 1), max(mark.line - 3, -1), -1):
        found = _SQUEEZED.match(lines[number])
        if found:
            return f"a space is missing after the ':' in line {number + 1}; write '{found[1]}: {found[2]}'"
    return ""
