"""The model card shipped beside the weights: what they learned from, by what right, how good they are, where they fail.

    python -m bot.attention.card WEIGHTS DATA      writes WEIGHTS/README.md

Figures follow `bot.attention.evaluation`, on accounts that were never trained on.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bot.attention.baselines import rivals
from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import RIGHTS, Account, files_of, read_accounts
from bot.attention.evaluation import KS, Judged, Row, averaged, interval, judge
from bot.attention.forecast import ACTIONS, Forecaster, PastPost
from bot.attention.forecaster import SHRINK_TIME_BELOW, AttentionForecaster
from bot.attention.slices import LEAST, OURS, PLAIN, Slice, slices

LANGUAGES = """Languages are told by `py3langid`; "not told" are names,
hashtags, a word or two. Nearly everything is English: what is said of another language rests on very few accounts."""
NO_LANGUAGES = "Languages are told only where `py3langid` is installed."

Figures = Mapping[tuple[str, str], Sequence[Row]]
"""By platform and account: one row per model and k, averaged over windows."""


@dataclass(frozen=True)
class Measured:
    """All that a card says of how good weights are."""

    rows: Figures
    slices: Sequence[Slice] = ()


def figures(weights: Path, data: Path, on_step: Callable[[str], None] | None = None, every: int = 1) -> Measured:
    """The model and all baselines on every `every`-th validation account of a data folder; minutes of work."""
    encoder = StaticEncoder.load()
    models: list[Forecaster] = [AttentionForecaster.load(weights, encoder), *rivals(encoder.encode)]
    held_out = [account for file in files_of(data) for account in read_accounts(file) if account.split == "val"]
    rows: dict[tuple[str, str], list[Row]] = {}
    judged: dict[tuple[str, str], list[Judged]] = {}
    for account in held_out[::every]:
        if on_step is not None:
            on_step(f"{account.platform}/{account.name}")
        place, seen = (account.platform, account.name), list[Judged]()
        rows[place] = averaged(judge(posts_of(account), models, np.random.default_rng(0), on_judged=seen.append))
        judged[place] = [one for one in seen if one.model in (OURS, PLAIN)]
    return Measured(rows, slices(judged))


def write_card(weights: Path, measured: Measured | None = None) -> Path:
    """Write the card from training.json and, where there are some, figures; gives back its path.

    Raises FileNotFoundError where the folder holds no training.json.
    """
    record = weights / "training.json"
    if not record.is_file():
        raise FileNotFoundError(f"{weights}: no training.json here, so nothing is known of these weights")
    card = weights / "README.md"
    card.write_text(_card(json.loads(record.read_text(encoding="utf-8")), measured), encoding="utf-8")
    return card


def table(measured: Figures) -> str:
    """Mean over accounts of rank correlation / best-of-5 uplift, by platform, model and k, as Markdown."""
    lines = []
    for platform in sorted({platform for platform, _ in measured}):
        accounts = [rows for (name, _), rows in measured.items() if name == platform]
        lines += [
            f"### {platform.capitalize()}, {len(accounts)} accounts",
            "",
            "| model | " + " | ".join(f"k={k}" for k in KS) + " |",
            "|---|" + "---|" * len(KS),
        ]
        names = list(dict.fromkeys(row.model for rows in accounts for row in rows))
        for name in names:
            cells = [_cell([row for rows in accounts for row in rows if (row.model, row.k) == (name, k)]) for k in KS]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines += ["", *(_against(accounts, k) for k in KS), ""]
    return "\n".join(lines).rstrip()


def slice_table(found: Sequence[Slice]) -> str:
    """Coverage / error beside the account's mean (posts of accounts) by slice and k, a table for each platform."""
    parts = []
    for platform in dict.fromkeys(one.platform for one in found):
        here = [one for one in found if one.platform == platform]
        lines = [f"| {platform} | " + " | ".join(f"k={k}" for k in KS) + " |", "|---|" + "---|" * len(KS)]
        for cut, name in dict.fromkeys((one.cut, one.name) for one in sorted(here, key=lambda one: one.cut)):
            row = {one.k: one for one in here if (one.cut, one.name) == (cut, name)}
            cells = [
                f"{row[k].coverage:.0%} / {row[k].error:.2f} ({row[k].posts:,} of {row[k].accounts})"
                if k in row
                else "-"
                for k in KS
            ]
            lines.append(f"| {cut}: {name} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _cell(rows: Sequence[Row]) -> str:
    if not rows:
        return "-"
    return f"{np.mean([row.spearman for row in rows]):.3f} / {np.mean([row.uplift for row in rows]):.3f}"


def _against(accounts: Sequence[Sequence[Row]], k: int) -> str:
    """The paired difference to the strongest baseline, as one line of Markdown."""
    by_model: dict[str, list[float]] = {}
    for rows in accounts:
        for row in rows:
            if row.k == k:
                by_model.setdefault(row.model, []).append(row.spearman)
    ours = by_model.pop("attention", [])
    if not ours or not by_model:
        return f"- k={k}: not measured"
    rival = max(by_model, key=lambda name: float(np.mean(by_model[name])))
    lead = np.array(ours) - np.array(by_model[rival])
    low, high = interval(list(lead), np.random.default_rng(0))
    covered = [row.coverage for rows in accounts for row in rows if (row.model, row.k) == ("attention", k)]
    return (
        f"- k={k}: attention {'leads' if lead.mean() > 0 else 'trails'} the strongest baseline ({rival}) by "
        f"{lead.mean():+.3f} [{low:+.3f}, {high:+.3f}], "
        f"ahead on {int((lead > 0).sum())} of {len(lead)} accounts; "
        f"{np.mean(covered):.0%} of outcomes inside the 80 % interval"
    )


def posts_of(account: Account) -> list[PastPost]:
    """The rows of an account as past posts, counted long after."""
    return [
        PastPost(
            account.platform,
            row["text"],
            row["kind"],
            datetime.fromisoformat(row["created_at"]),
            {action: int(row[action]) if row.get(action) else None for action in ACTIONS},
            ref=row["post_id"],
        )
        for row in account.rows
    ]


def _card(record: Mapping[str, Any], measured: Measured | None) -> str:
    trained = [str(name).partition("/")[0] for name in record["accounts"]]
    sources = [
        f"- {RIGHTS[name].source}, {RIGHTS[name].licence}: {trained.count(name)} accounts of {name}"
        for name in sorted(set(trained))
    ]
    refused = [f"- {name}: {right.why}" for name, right in sorted(RIGHTS.items()) if not right.train]
    unknown = "Not measured on this machine. `python -m bot.attention.card WEIGHTS DATA` measures them."
    results = table(measured.rows) if measured else unknown
    found = measured.slices if measured else ()
    errors = slice_table(found) if found else unknown
    languages = LANGUAGES if any(one.cut == "language" for one in found) else NO_LANGUAGES
    return f"""# Kairos attention model

A small transformer that reads an account's own past posts in its context and forecasts how a candidate (a wording in a
slot) would do. Nothing is learned per account at run time. Licence: Apache-2.0, as the rest of Kairos.

- {record["parameters"]:,} parameters; trained for {record["steps"]:,} steps, {record["minutes"]} minutes on one thread
- input: text vectors (static table, 256 numbers), clock in UTC, kind, surface of the text, rhythm of posting, outcomes
- output: 60 bars over the standardised log1p of one action's count

## Trained on

{chr(10).join(sources) or "- simulated accounts alone"}
- simulated outcomes on those posts and wholly made-up accounts: {1 - record["real_outcomes"]:.0%} of episodes

The texts are not shipped; weights and aggregate figures are. Never trained on:

{chr(10).join(refused)}
- reddit: anything from its API, and anything after August 2013; only the public-domain archive is used

## How good

On accounts that were never trained on, each number is rank correlation / best-of-5 uplift in windows of 100 later
posts, after reading k posts that are at least 48 hours older (0 is chance, 1 is an oracle).

{results}

Read with care: longer histories exist for fewer accounts, so columns are means over different ones. These accounts also
chose which weights were kept during training and which design: expect mild optimism. One seed. The baselines learn from
each account alone; models pooled over accounts are stronger: `python -m benchmarks.model` compares them.

## Where it errs

The same posts, by kind, part of day and language: share of outcomes inside the 80 % interval / absolute error of the
median forecast beside that of the account's mean (below 1 is better), then how many posts of how many accounts were
judged. Slices of fewer than {LEAST} posts are left out. {languages}

{errors}

## Known limits

- Facebook pages of 2016 and subreddits up to 2013: other platforms, languages and years are extrapolation, and the
  text table is English first. `kairos backtest` measures it on your own past; where a baseline leads, it decides.
- Below {SHRINK_TIME_BELOW} posts the effect of the hour is halved. How much of it is real is measured on links that
  pages posted twice (`python -m benchmarks.timing`), and the doubt left is large.
- It ranks posts of one account. It does not know what is true, kind or wise, and what earns engagement is not the same.
- Counts are heavy-tailed: the interval says more than the number in its middle.
"""


if __name__ == "__main__":
    folder, source = Path(sys.argv[1]), Path(sys.argv[2])
    sys.stdout.write(f"{write_card(folder, figures(folder, source))}\n")
