"""A document as blocks, and the two forms that it is written in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestration.page import html_page


@dataclass(frozen=True)
class Heading:
    """A heading; the document's title has level 1."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ```` `x` ```` is code, as in Markdown."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table; ```` `x` ```` is code in its cells as well. With ``numbers``, all but its first column hold some."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = False


@dataclass(frozen=True)
class Figure:
    """A picture: SVG text, and what it shows."""

    svg: str
    caption: str


Block = Heading | Paragraph | Bullets | Table | Figure

STYLE = """
h3 { font-size: 1.05rem; margin-top: 1.8rem; }
h4 { font-size: 0.95rem; margin: 1.4rem 0 0.3rem; }
nav { columns: 3 14rem; font-size: 0.9rem; }
nav a { display: block; }
.wide { border: 1px solid #eee; padding: 0.5rem; }
.wide svg { display: block; }
table.numbers { font-variant-numeric: tabular-nums; }
table.numbers th, table.numbers td { text-align: right; }
table.numbers th:first-child, table.numbers td:first-child { text-align: left; }
figcaption { font-size: 0.85rem; color: #555; }
"""


def markdown(blocks: Iterable[Block], picture: str | None) -> str:
    """The document in Markdown.

    Args:
        blocks: what it consists of.
        picture: name of the file that the picture is in; without one it is left out.
    """
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"{'#' * block.level} {block.text}")
        elif isinstance(block, Paragraph):
            parts.append(block.text)
        elif isinstance(block, Bullets):
            parts.append("\n".join(f"- {item}" for item in block.items))
        elif isinstance(block, Table):
            lines = [block.head, ["---"] * len(block.head), *block.rows]
            parts.append("\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines))
        elif picture is not None:
            parts.append(f"![{block.caption}]({picture})")
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def page(blocks: Sequence[Block]) -> str:
    """The document as one HTML page that needs no other file."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    parts = []
    contents = [block.text for block in blocks if isinstance(block, Heading) and block.level == 2]
    for block in blocks:
        if isinstance(block, Heading):
            anchor = f' id="{_anchor(block.text)}"' if block.level == 2 else ""
            parts.append(f"<h{block.level}{anchor}>{_inline(block.text)}</h{block.level}>")
            if block.level == 1:
                links = "".join(f'<a href="#{_anchor(text)}">{_inline(text)}</a>' for text in contents)
                parts.append(f"<nav>{links}</nav>")
        elif isinstance(block, Paragraph):
            parts.append(f"<p>{_inline(block.text)}</p>")
        elif isinstance(block, Bullets):
            parts.append("<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in block.items) + "</ul>")
        elif isinstance(block, Table):
            head = "".join(f"<th>{_inline(cell)}</th>" for cell in block.head)
            rows = "".join(
                "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>\n" for row in block.rows
            )
            kind = ' class="numbers"' if block.numbers else ""
            parts.append(f'<div class="wide"><table{kind}><tr>{head}</tr>\n{rows}</table></div>')
        else:
            caption = html.escape(block.caption)
            parts.append(f'<figure><div class="wide">{block.svg}</div><figcaption>{caption}</figcaption></figure>')
    return html_page(title.replace("`", ""), "\n".join(parts), STYLE)


def _anchor(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
