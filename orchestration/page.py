"""Pages of HTML that need no other file, all in the same style."""

from __future__ import annotations

import html

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 65rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; }
h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
figure { margin: 1rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.5rem 0; }
th, td { padding: 0.25rem 0.7rem; text-align: left; vertical-align: top; border-bottom: 1px solid #eee; }
th { border-bottom: 1px solid #bbb; }
code { background: #f4f4f4; padding: 0 0.25em; }
"""


def html_page(title: str, body: str, style: str = "") -> str:
    """A whole page.

    Args:
        title: as plain text.
        body: as HTML.
        style: rules of this kind of page, which go beyond the common ones or replace them.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
{(STYLE + style).strip()}
</style>
</head>
<body>
{body}
</body>
</html>
"""
