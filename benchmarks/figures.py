"""Rows of every account -> means, intervals, paired leads, as Markdown, JSON and a picture; no forecasts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.attention.evaluation import Row, interval

Measured = Mapping[tuple[str, str], Sequence[Row]]
"""By platform and account: one row per model and k, averaged over windows."""
OURS = "attention"
CHANCE = "account mean"
CALIBRATION = ("nll", "crps", "coverage")
REACHED = ("spearman", "uplift", *CALIBRATION)
ALL = "all"
"""The platform of means over the accounts of every platform, each account counting once."""
STRONGEST = "pooled stack"
LIKELY = {20: 1.364, 50: 1.275, 200: 1.246, 800: 1.235}
"""NLL to reach, by k: .03 below a first network of this kind, which was judged on more Facebook pages."""
WON = 0.65
"""Share of accounts on which to rank better than STRONGEST."""
TITLES = {
    ALL: "All accounts of all platforms, each counting once",
    "facebook": "Facebook: pages never trained on, after the last date trained on",
    "reddit": "Reddit: subreddits never trained on",
    "hackernews": "Links on Hacker News: a control that is nearly luck, in eight stretches of 2017",
}


@dataclass(frozen=True)
class Mean:
    """A mean over accounts and its 95 % interval, by bootstrap over accounts."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], seed: int) -> "Mean":
        low, high = interval(values, np.random.default_rng(seed))
        return cls(round(float(np.mean(values)), 4), round(low, 4), round(high, 4))


@dataclass(frozen=True)
class Figure:
    """What one model reached on one platform after k posts; `cpu_s` are seconds of processor for one window."""

    platform: str
    k: int
    model: str
    accounts: int
    windows: int
    spearman: Mean
    uplift: Mean
    nll: Mean
    crps: Mean
    coverage: Mean
    cpu_s: float | None


@dataclass(frozen=True)
class Lead:
    """How far ours is ahead of a rival on the same windows; negative where the rival is. `wins` of `accounts`."""

    platform: str
    k: int
    rival: str
    accounts: int
    wins: int
    spearman: Mean
    uplift: Mean
    nll: Mean


def figures_of(measured: Measured, seed: int, cpu: Mapping[tuple[str, str, int], float] | None = None) -> list[Figure]:
    """One figure for each platform, k and model that was measured, in that order."""
    found = []
    for (platform, k, model), rows in _grouped(measured).items():
        means = {name: Mean.of([getattr(row, name) for row in rows.values()], seed) for name in REACHED}
        windows = sum(row.windows for row in rows.values())
        taken = (cpu or {}).get((platform, model, k))
        found.append(Figure(platform, k, model, len(rows), windows, **means, cpu_s=taken))
    return found


def leads_of(measured: Measured, seed: int) -> list[Lead]:
    """One lead for each platform, k and rival, paired by account."""
    groups = _grouped(measured)
    found = []
    for (platform, k, rival), theirs in groups.items():
        ours = groups.get((platform, k, OURS))
        if ours is None or rival == OURS:
            continue
        ahead = {
            name: [getattr(ours[account], name) - getattr(row, name) for account, row in theirs.items()]
            for name in ("spearman", "uplift", "nll")
        }
        wins = sum(value > 0 for value in ahead["spearman"])
        means = {name: Mean.of(values, seed) for name, values in ahead.items()}
        found.append(Lead(platform, k, rival, len(theirs), wins, **means))
    return found


def _grouped(measured: Measured) -> dict[tuple[str, int, str], dict[str, Row]]:
    """Rows by (platform, k, model), then by account; ALL comes first, where there is more than one platform."""
    several = len({platform for platform, _ in measured}) > 1
    found: dict[tuple[str, int, str], dict[str, Row]] = {}
    for (platform, account), rows in measured.items():
        for row in rows:
            for name in (ALL, platform) if several else (platform,):
                found.setdefault((name, row.k, row.model), {})[f"{platform}/{account}"] = row
    return dict(sorted(found.items(), key=lambda item: (item[0][0] != ALL, item[0][0], item[0][1])))


def markdown(found: Sequence[Figure], ahead: Sequence[Lead]) -> str:
    """For each platform rank and uplift, the lead over each rival, calibration, processor time; for ALL the goals."""
    parts = []
    for platform in dict.fromkeys(figure.platform for figure in found):
        here = [figure for figure in found if figure.platform == platform]
        against = [lead for lead in ahead if lead.platform == platform]
        counts = {f"k={one.k}: {one.accounts} accounts, {one.windows} windows" for one in here}
        parts += [
            f"## {TITLES.get(platform, platform)}",
            "; ".join(sorted(counts, key=lambda text: int(text[2:].split(":")[0]))) + ".",
            "Rank correlation [95 % interval over accounts] / best-of-5 uplift.",
            _table(here, lambda one: f"{_range(one.spearman)} / {one.uplift.mean:.3f}"),
        ]
        if against:
            parts += [
                f"Lead of {OURS} in rank correlation [interval], accounts won; lead in uplift [interval].",
                _table(
                    against,
                    lambda one: f"{_lead(one.spearman)}, {one.wins}/{one.accounts}; {_lead(one.uplift)}",
                ),
            ]
        parts += [
            "NLL / CRPS (lower is better) / share of outcomes inside the 80 % interval.",
            _table(here, lambda one: f"{one.nll.mean:.3f} / {one.crps.mean:.3f} / {one.coverage.mean:.0%}"),
        ]
        if platform == ALL:
            parts += _goals(here, against)
        if any(one.cpu_s is not None for one in here):
            parts += [
                "Milliseconds of processor for reading a history and forecasting 100 posts (vectors of texts at hand).",
                _table(here, lambda one: "-" if one.cpu_s is None else f"{one.cpu_s * 1000:.0f}"),
            ]
    return "\n\n".join(parts) + "\n"


def _goals(here: Sequence[Figure], against: Sequence[Lead]) -> list[str]:
    """What was to be reached over all accounts, beside what was; nothing where ours or STRONGEST was not measured."""
    leads = {one.k: one for one in against if one.rival == STRONGEST}
    rows = [
        f"| {one.k} | {one.nll.mean:.3f} | <= {LIKELY[one.k]:.3f} | {leads[one.k].wins}/{leads[one.k].accounts} = "
        f"{leads[one.k].wins / leads[one.k].accounts:.0%} | >= {WON:.0%} |"
        for one in here
        if one.model == OURS and one.k in LIKELY and one.k in leads
    ]
    heads = ["| k | NLL | goal | accounts won against the " + STRONGEST + " | goal |", "|---|---|---|---|---|"]
    return [f"Goals of {OURS}.", "\n".join([*heads, *rows])] if rows else []


def _table(rows: Sequence[Any], cell: Any) -> str:
    """A Markdown table of figures or leads: models down, lengths of history across."""
    ks = sorted({row.k for row in rows})
    names = dict.fromkeys(getattr(row, "rival", None) or row.model for row in rows)
    cells = {(getattr(row, "rival", None) or row.model, row.k): cell(row) for row in rows}
    lines = ["| model | " + " | ".join(f"k={k}" for k in ks) + " |", "|---|" + "---|" * len(ks)]
    lines += [f"| {name} | " + " | ".join(cells.get((name, k), "-") for k in ks) + " |" for name in names]
    return "\n".join(lines)


def _range(one: Mean) -> str:
    return f"{one.mean:.3f} [{one.low:.3f}, {one.high:.3f}]"


def _lead(one: Mean) -> str:
    return f"{one.mean:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"


def as_json(found: Sequence[Figure], ahead: Sequence[Lead], measured: Measured, seed: int, version: str) -> str:
    """The same figures for machines, one on a line, and what is behind them: every account, so that pairs can be told.

    A line of `accounts` holds, by model, the numbers that `columns` names.
    """
    each = [
        {
            "platform": platform,
            "account": account,
            "k": k,
            "windows": next(row.windows for row in rows if row.k == k),
            "models": {row.model: [round(getattr(row, name), 4) for name in REACHED] for row in rows if row.k == k},
        }
        for (platform, account), rows in measured.items()
        for k in sorted({row.k for row in rows})
    ]
    figures, leads, accounts = (
        ",\n".join(json.dumps(one) for one in some)
        for some in ([asdict(one) for one in found], [asdict(one) for one in ahead], each)
    )
    return (
        f'{{"seed": {seed}, "version": {json.dumps(version)},\n"figures": [\n{figures}\n],\n"leads": [\n{leads}\n],\n'
        f'"columns": {json.dumps(REACHED)},\n"accounts": [\n{accounts}\n]}}\n'
    )


def picture(found: Sequence[Figure], path: Path) -> Path:
    """Write a PNG: rank correlation against length of history, a panel for each single platform; returns its path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet

    platforms = list(dict.fromkeys(one.platform for one in found if one.platform != ALL))
    names = [name for name in dict.fromkeys(one.model for one in found) if name != CHANCE]
    sheet = Sheet(figsize=(4.6 * len(platforms) + 1.6, 4.6), dpi=110, layout="constrained")
    FigureCanvasAgg(sheet)
    panels = sheet.subplots(1, len(platforms), squeeze=False)[0]
    for panel, platform in zip(panels, platforms, strict=True):
        for turn, name in enumerate(names):
            line = [one for one in found if (one.platform, one.model) == (platform, name)]
            ks, ours = [one.k for one in line], name == OURS
            colour = "#0b6e4f" if ours else f"C{turn % 10}"
            width = 2.6 if ours else 1.3
            panel.plot(ks, [one.spearman.mean for one in line], marker="o", lw=width, color=colour, label=name)
            if ours:
                low, high = [one.spearman.low for one in line], [one.spearman.high for one in line]
                panel.fill_between(ks, low, high, color=colour, alpha=0.13, lw=0)
        panel.axhline(0, color="#666666", linewidth=0.8, linestyle=":")
        panel.set_xscale("log")
        panel.set_xticks(sorted({one.k for one in found}), [str(k) for k in sorted({one.k for one in found})])
        panel.minorticks_off()
        panel.set_title(platform.capitalize(), loc="left")
        panel.set_xlabel("posts of history")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("rank correlation with the outcome")
    panels[-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path, format="png", metadata={"Software": None})
    return path
