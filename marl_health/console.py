"""The console command `marl-health`: makes sure that our own packages run, then starts `orchestration.cli`.

`policies`, `orchestration` and `experiments` are installed under generic names, so a folder of the same name
in the user's project can be found before ours (through `PYTHONPATH`, say) and would be run instead. The check
therefore has to happen before the first of them is imported, and it has to live where nobody shadows it: in
`marl_health`. The command line is imported by its name at run time, after the check; nothing else in the
library knows that the rooms above it exist.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
PACKAGES = ("policies", "orchestration", "experiments")


def main() -> None:
    """Run the command line, or print what stands in its way and exit with code 2."""
    problems = [problem for name in PACKAGES if (problem := shadowed(name, HOME))]
    if problems:
        for problem in problems:
            print(f"marl-health: {problem}", file=sys.stderr)
        sys.exit(2)
    importlib.import_module("orchestration.cli").main()


def shadowed(name: str, home: Path) -> str | None:
    """Say why importing the top-level package `name` would not give the one in the folder `home`.

    Args:
        name: A top-level package, not imported yet.
        home: The folder in which that package is expected.

    Returns:
        One line that names the offending folder and the remedy, or None if all is well.
    """
    expected = home / name
    spec = importlib.util.find_spec(name)
    folders = [Path(folder).resolve() for folder in (spec and spec.submodule_search_locations) or ()]
    if expected in folders:
        return None
    if spec is None:
        return f"the package '{name}' is missing from {home}; reinstall marl-health."
    found = folders[0] if folders else Path(str(spec.origin)).resolve()
    return (
        f"'{name}' would be imported from {found} instead of {expected}; "
        f"take {found.parent} off PYTHONPATH, start in another folder, or rename {found.name}."
    )
