"""Pictures of scores, as SVG text to be put into a page: performance profiles, and statistics with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib import rc_context
from matplotlib.figure import Figure

from orchestration.evaluation.resampling import Interval
from orchestration.evaluation.scores import Profile
from orchestration.figures import STYLE, svg_text
from orchestration.plots.style import colours


def profile_svg(profile: Profile, label: str = "mean return of a run") -> str:
    """Performance profiles: a falling line and its band per policy; the higher line is the better policy.

    Args:
        profile: what is drawn.
        label: of the threshold.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        axes = figure.subplots()
        for name, colour in colours(list(profile.shares)).items():
            share, low, high = profile.shares[name]
            axes.step(profile.thresholds, share, where="post", color=colour, linewidth=1.4, label=name)
            axes.fill_between(profile.thresholds, low, high, step="post", color=colour, alpha=0.15, lw=0)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(f"threshold of the {label}")
        axes.set_ylabel("share of runs")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        return svg_text(figure)


def intervals_svg(panels: Mapping[str, Mapping[str, Interval]]) -> str:
    """Statistics with their 95% intervals: a panel per statistic, a row per policy.

    Args:
        panels: title of the panel to policy to the statistic.
    """
    names = list(dict.fromkeys(policy for by_policy in panels.values() for policy in by_policy))
    look = colours(names)
    with rc_context(STYLE):
        figure = Figure(figsize=(9, 0.8 + 0.28 * len(names)), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (title, by_policy) in zip(row, panels.items(), strict=True):
            for policy, found in by_policy.items():
                y = names.index(policy)
                axes.plot([found.low, found.high], [y, y], color=look[policy], linewidth=6, alpha=0.35)
                axes.plot([found.value], [y], "|", color=look[policy], markersize=12, markeredgewidth=2)
            axes.set_yticks(range(len(names)), names)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_title(title, loc="left")
        return svg_text(figure)
