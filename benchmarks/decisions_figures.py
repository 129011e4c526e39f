"""Runs in many worlds -> regret, paired leads, intervals, as Markdown, JSON and a picture; nothing is decided here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions_worlds import Run
from benchmarks.figures import Mean
from bot.attention.evaluation import interval

Runs = Mapping[str, Sequence[Run]]
"""By rule: one run per world, in the same order of worlds."""
CHANCE, BEST = "random", "oracle"
QUARTER = 4
DRAWS = 2000


@dataclass(frozen=True)
class Figure:
    """What one rule lost: regret over all posts of a world, and over the first and the last quarter of them.

    `likes` is the factor over chance on what an average post may expect. `worst` is the world that went worst.
    """

    rule: str
    worlds: int
    regret: Mean
    first: Mean
    last: Mean
    worst: float
    likes: Mean


@dataclass(frozen=True)
class Lead:
    """How much less regret a rule has than a rival, in the same worlds, and as a share of it; `wins` of `worlds`."""

    rule: str
    rival: str
    worlds: int
    wins: int
    saved: Mean
    share: Mean


def figures_of(runs: Runs, seed: int) -> list[Figure]:
    """One figure per rule, the least regret first."""
    chance = np.array([run.expected.mean() for run in runs[CHANCE]])
    found = []
    for rule, some in runs.items():
        regret = np.stack([run.regret for run in some])
        size = max(regret.shape[1] // QUARTER, 1)
        parts = (regret.sum(axis=1), regret[:, :size].sum(axis=1), regret[:, -size:].sum(axis=1))
        gains = np.array([run.expected.mean() for run in some]) - chance
        low, high = interval(gains.tolist(), np.random.default_rng(seed))
        likes = Mean(*(round(float(np.exp(value)), 4) for value in (gains.mean(), low, high)))
        means = [Mean.of(part.tolist(), seed) for part in parts]
        found.append(Figure(rule, len(some), *means, round(float(parts[0].max()), 4), likes))
    return sorted(found, key=lambda one: one.regret.mean)


def leads_of(runs: Runs, rule: str, seed: int) -> list[Lead]:
    """The lead of a rule over each other one, paired by world, the strongest rival first."""
    totals = {name: np.array([run.regret.sum() for run in some]) for name, some in runs.items()}
    own = totals.pop(rule)
    found = []
    for rival, theirs in sorted(totals.items(), key=lambda item: float(item[1].mean())):
        saved = Mean.of((theirs - own).tolist(), seed)
        found.append(Lead(rule, rival, len(own), int((own < theirs).sum()), saved, _share(own, theirs, seed)))
    return found


def _share(own: NDArray[np.float64], theirs: NDArray[np.float64], seed: int) -> Mean:
    """1 - own / theirs of the sums over worlds, by bootstrap over worlds; 0 where a rival loses nothing."""
    if not theirs.any():
        return Mean(0.0, 0.0, 0.0)
    drawn = np.random.default_rng(seed).integers(0, len(own), size=(DRAWS, len(own)))
    shares = 1 - own[drawn].sum(axis=1) / theirs[drawn].sum(axis=1)
    middle = 1 - own.sum() / theirs.sum()
    low, high = np.quantile(shares, [0.025, 0.975])
    return Mean(round(float(middle), 4), round(float(low), 4), round(float(high), 4))


def markdown(found: Sequence[Figure], ahead: Sequence[Lead], posts: int) -> str:
    """What each rule lost, and a table for each rule that has leads."""
    part = max(posts // QUARTER, 1)
    lines = [
        f"{found[0].worlds} worlds of {posts} posts. [95 % interval over worlds]. Regret: lower is better.",
        "",
        f"| rule | regret | first {part} posts | last {part} posts | worst world | likes, times random |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one.rule} | {_range(one.regret)} | {one.first.mean:.1f} | {one.last.mean:.1f} | {one.worst:.0f} "
            f"| {one.likes.mean:.2f} [{one.likes.low:.2f}, {one.likes.high:.2f}] |"
            for one in found
        ),
    ]
    for rule in dict.fromkeys(one.rule for one in ahead):
        lines += [
            "",
            f"Regret that `{rule}` saves against each other rule in the same worlds; negative where it loses more.",
            "",
            "| against | regret saved | share of theirs | worlds won |",
            "|---|---|---|---|",
            *(
                f"| {one.rival} | {one.saved.mean:+.1f} [{one.saved.low:+.1f}, {one.saved.high:+.1f}] "
                f"| {_percent(one.share)} | {one.wins}/{one.worlds} |"
                for one in ahead
                if one.rule == rule and one.rival != BEST
            ),
        ]
    return "\n".join(lines) + "\n"


def _range(one: Mean) -> str:
    return f"{one.mean:.1f} [{one.low:.1f}, {one.high:.1f}]"


def _percent(one: Mean) -> str:
    return f"{one.mean:+.0%} [{one.low:+.0%}, {one.high:+.0%}]"


def as_json(found: Sequence[Figure], ahead: Sequence[Lead], about: Mapping[str, object]) -> str:
    """The same figures for machines, one on a line; `about` says how they came to be."""
    figures, leads = (",\n".join(json.dumps(asdict(one)) for one in some) for some in (found, ahead))
    return f'{{"about": {json.dumps(dict(about))},\n"figures": [\n{figures}\n],\n"leads": [\n{leads}\n]}}\n'


def picture(runs: Runs, ours: str, path: Path) -> Path:
    """Write a PNG: regret so far against the number of posts, the mean over worlds; gives back its path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet

    sheet = Sheet(figsize=(8.4, 4.8), dpi=110, layout="constrained")
    FigureCanvasAgg(sheet)
    panel = sheet.subplots()
    for turn, rule in enumerate(sorted(runs, key=lambda name: -sum(float(run.regret.sum()) for run in runs[name]))):
        so_far = np.cumsum(np.stack([run.regret for run in runs[rule]]), axis=1)
        posts, middle = np.arange(1, so_far.shape[1] + 1), so_far.mean(axis=0)
        colour, width = ("#0b6e4f", 2.6) if rule == ours else (f"C{turn % 10}", 1.3)
        # There are ten colours; the lines after them are dashed.
        panel.plot(posts, middle, lw=width, color=colour, ls="-" if turn < 10 else "--", label=rule)
        if rule == ours and len(so_far) > 1:
            reach = 1.96 * so_far.std(axis=0, ddof=1) / len(so_far) ** 0.5
            panel.fill_between(posts, middle - reach, middle + reach, color=colour, alpha=0.13, lw=0)
    panel.set_xlabel("posts")
    panel.set_ylabel("regret so far, in log likes")
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path, format="png", metadata={"Software": None})
    return path
