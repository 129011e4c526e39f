"""Would it have helped on my own past? Every model ranks later posts of a page from earlier ones; nothing is changed.

The comparison itself is `bot.attention.evaluation`; here are its verdict in words, its table and its picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from bot.attention.choice import decides, decimal, verdict
from bot.attention.evaluation import GAP, KS, WINDOW, Row, Step, averaged, distinct, judge
from bot.attention.forecast import Forecaster
from bot.planner.past import past_posts
from storage.history import MeasuredPost

PLAIN = "hour of week"
"""What tools that sell a best time to post ship: the model to be better than."""
OURS = "attention"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
"""Okabe and Ito's, told apart by every eye."""
MARKS = "osD^vP*"


@dataclass(frozen=True)
class Backtest:
    """How each model did on one page; `rows` are means over windows, one per model and length of history."""

    account: str
    action: str
    posts: int
    """Distinct posts with a final count."""
    rows: tuple[Row, ...]
    winner: str | None
    """Who would decide for this page; None where the page is too short to tell."""
    words: tuple[str, ...]

    @property
    def attention_is_better(self) -> bool:
        """Whether the attention model ranked better than every other at the longest history this page has."""
        scores = self.scores(self.ks[-1]) if self.rows else {}
        others = [score for name, score in scores.items() if name != OURS]
        return OURS in scores and all(scores[OURS] > score for score in others)

    @property
    def ks(self) -> list[int]:
        """The lengths of history that could be tested."""
        return sorted({row.k for row in self.rows})

    @property
    def models(self) -> list[str]:
        """Names of the models, the best at the longest history first."""
        scores = self.scores(self.ks[-1]) if self.rows else {}
        return sorted(scores, key=lambda name: -scores[name])

    def scores(self, k: int) -> dict[str, float]:
        """Rank correlation by model for one length of history."""
        return {row.model: row.spearman for row in self.rows if row.k == k}

    def row(self, model: str, k: int) -> Row:
        """The figures of one model; raises KeyError where it was not tested."""
        for row in self.rows:
            if (row.model, row.k) == (model, k):
                return row
        raise KeyError(f"{model} was not tested with {k} posts")


def backtest(
    rows: Sequence[MeasuredPost],
    account: str,
    forecasters: Sequence[Forecaster],
    action: str = "likes",
    on_step: Callable[[Step], None] | None = None,
    ks: Sequence[int] = KS,
) -> Backtest:
    """Compare forecasters on an account's stored history; identical posts and windows for all, the same every time."""
    posts = past_posts(account, rows)
    judged = averaged(judge(posts, forecasters, np.random.default_rng(0), ks, action, on_step))
    usable = len(distinct(posts, action))
    winner = None
    if judged:
        longest = [row for row in judged if row.k == max(row.k for row in judged)]
        names = [row.model for row in longest]
        preferred = OURS if OURS in names else names[0]
        winner = decides({row.model: row.spearman for row in longest}, preferred, longest[0].windows * WINDOW)
    return Backtest(account, action, usable, tuple(judged), winner, _words(account, action, usable, judged, winner, ks))


def _words(
    account: str, action: str, posts: int, rows: Sequence[Row], winner: str | None, ks: Sequence[int]
) -> tuple[str, ...]:
    tested = sorted({row.k for row in rows})
    hours = int(GAP.total_seconds() // 3600)
    short = [k for k in ks if k not in tested]
    if winner is None:
        return (
            f"{account} has {posts} posts with {action}: too few to test on. {min(ks)} to read, {WINDOW} to rank and "
            f"{hours} hours between them are the least; until then the attention model decides, untested.",
        )
    k = tested[-1]
    at_k = {row.model: row for row in rows if row.k == k}
    scores = {name: row.spearman for name, row in at_k.items()}
    windows = at_k[winner].windows
    lines = [f"After reading {k} posts and ranking {_times(windows)} {WINDOW} later ones: {verdict(scores, winner)}."]
    if scores[winner] < 0.1:
        lines.append("None of them ranks this page's posts much better than chance: expect no help from any model yet.")
    if winner != PLAIN and PLAIN in at_k:
        lines.append(
            f"Choosing the best of five with {winner} gets {at_k[winner].uplift:z.0%} of the way from an average post "
            f"to the best one; with an hour-of-week table {at_k[PLAIN].uplift:z.0%}."
        )
    if winner != OURS and OURS in at_k:
        lines.append(f"The attention model steps aside on this page: {winner} ranks it better.")
    if short:
        lines.append(f"Not tested with {' and '.join(map(str, short))} posts: the page is too short for that.")
    return tuple(lines)


def _times(windows: int) -> str:
    return "once" if windows == 1 else f"{windows} times"


def render(result: Backtest) -> Table:
    """The models side by side for each length of history, the best of each in bold."""
    longest = f" after {result.ks[-1]} posts" if result.ks else ""
    table = Table(
        title=f"{result.account}: how well each model ranks later posts by {result.action}",
        caption=f"rank: correlation of forecast and outcome, 0 is chance, 1 perfect. best of 5{longest}: how far "
        "choosing among five posts gets from the average (0 %) to the best (100 %). in 80 %: outcomes inside the "
        f"80 % interval{longest}.",
        caption_justify="left",
    )
    table.add_column("model", no_wrap=True)
    for k in result.ks:
        table.add_column(f"rank\n{k} posts", justify="right")
    for name in ("best\nof 5", "in\n80 %") if result.ks else ():
        table.add_column(name, justify="right")
    tops = {k: max(result.scores(k).values()) for k in result.ks}
    for name in result.models:
        rows = [result.row(name, k) for k in result.ks]
        ranks = [f"{'[bold]' if row.spearman == tops[row.k] else ''}{decimal(row.spearman)}" for row in rows]
        shown = f"[bold]{name}" if name == result.winner else name
        table.add_row(shown, *ranks, f"{rows[-1].uplift:z.0%}", f"{rows[-1].coverage:.0%}")
    return table


def picture(result: Backtest, path: Path) -> Path:
    """Write a PNG of rank correlation against length of history, one line per model; gives back its path.

    Raises ValueError where there is nothing to draw.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not result.rows or result.winner is None:
        raise ValueError(result.words[0])
    figure = Figure(figsize=(8, 4.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = np.arange(len(result.ks))
    # The account's mean gives every post the same forecast: it is the line of chance.
    for turn, name in enumerate(name for name in result.models if name != "account mean"):
        ours = name == OURS
        axes.plot(
            places,
            [result.row(name, k).spearman for k in result.ks],
            marker=MARKS[turn % len(MARKS)],
            color=COLOURS[0] if ours else COLOURS[1 + turn % (len(COLOURS) - 1)],
            linewidth=2.6 if ours else 1.3,
            markersize=8 if ours else 6,
            label=name,
            zorder=3 if ours else 2,
        )
    axes.axhline(0, color="#666666", linewidth=0.8, linestyle=":")
    axes.text(places[0] - 0.25, 0.004, "chance", color="#666666", fontsize=9, va="bottom")
    axes.set_xticks(places, [f"{k} posts" for k in result.ks])
    axes.set_xlim(-0.3, len(places) - 0.7)
    axes.set_xlabel("history read")
    axes.set_ylabel("rank correlation with the outcome")
    axes.set_title(
        f"{result.account}: {result.models[0]} ranks later posts best after {result.ks[-1]} posts", loc="left"
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})
    return path
