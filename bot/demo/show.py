"""The demo itself: four simulated weeks of the example campaigns, told as they happen, then what came of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from bot import attention
from bot.app import World
from bot.attention.encoder import StaticEncoder
from bot.campaign.loading import load_campaign
from bot.campaign.schema import Campaign
from bot.demo.compare import WEEK, WEEKS, Comparison, compare
from bot.demo.past import earlier_posts
from bot.insights.collecting import collect_report
from bot.insights.explain import Explanation, explain
from bot.insights.lift import Lift, lift
from bot.insights.report import write_report
from bot.insights.sheet import Extra
from bot.rounds import Rounds, Wish
from bot.running import rehearse
from bot.settings import Settings
from connectors.faults import Fault
from connectors.sandbox import SandboxNetwork
from scheduler.clock import LapseClock
from scheduler.events import Event
from storage import calendar, decisions, mentions
from storage.database import INSTALL_ID, open_database
from storage.models import State
from storage.notes import set_note

START = datetime(2026, 9, 7, 5, tzinfo=UTC)
"""A Monday; the demo never asks what time it is, so it always shows the same."""
SEED = 3
MISHAPS: Mapping[Fault, float] = {"unavailable": 0.03, "rate_limit": 0.02, "lost_answer": 0.02}
"""Shares of writes that go wrong on the way, as they do."""
CAMPAIGNS = ("launch-week", "evergreen-tips", "newsletter-feed", "community-replies")


class Watch(Protocol):
    """Whoever shows how far the demo has come."""

    def __call__(self, done: float | None = None, total: float | None = None, line: str | None = None) -> None:
        """Part done of a total, and what is happening."""
        ...


@dataclass(frozen=True)
class Shown:
    """Everything the demo has to show; all of it is simulated."""

    report: Path
    published: int
    mishaps: int
    twice: int
    """Posts the network has got beyond those published: what was sent twice."""
    comparison: Comparison
    lift: Lift
    explained: tuple[Explanation, ...]
    replies: dict[str, int]
    refused: dict[str, int]
    words: dict[str, str]
    """Rule id -> its words the last time."""

    def as_data(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "simulated": True,
            "report": str(self.report),
            "published": self.published,
            "mishaps": self.mishaps,
            "twice": self.twice,
            "comparison": [vars(way) for way in self.comparison.ways],
            "worlds": self.comparison.worlds,
            "words": self.comparison.words,
            "lift": vars(self.lift),
            "replies": self.replies,
            "refused": self.refused,
        }


def examples() -> Path:
    """The folder of the example campaigns, beside the packages or inside them where Kairos was installed."""
    home = Path(__file__).resolve().parent
    return next(folder for folder in (home.parent.parent / "examples", home / "examples") if folder.is_dir())


def run_demo(
    seeds: int, out: Path, on_step: Watch, weeks: int = WEEKS, mishaps: Mapping[Fault, float] = MISHAPS
) -> Shown:
    """Run the demo and write its report to `out`; the same every time. Raises TorchMissing, OSError."""
    out.parent.mkdir(parents=True, exist_ok=True)
    model = attention.load()
    embed = StaticEncoder.load().encode
    campaigns = [load_campaign(examples() / f"{name}.yaml", {}) for name in CAMPAIGNS]
    with TemporaryDirectory(prefix="kairos-demo-") as folder:
        happened: Counter[str] = Counter()
        latest = [""]

        def hear(event: Event) -> None:
            happened[event.name] += 1
            latest[0] = f"{event.name} {event.words}"

        clock = LapseClock(START)
        end = START + weeks * WEEK
        network = SandboxNetwork(clock, embed, seed=SEED)
        account = campaigns[0].accounts[0]
        network.seed_history(account, earlier_posts(np.random.default_rng(SEED), START))
        network.faults.rates(mishaps)
        db = open_database(Path(folder) / "kairos.db")
        with db.write() as session:
            set_note(session, INSTALL_ID, "the demo", START)  # whatever is drawn by its name is drawn alike every time
        world = World(
            Settings(Path(folder)),
            db,
            clock,
            network.connector,
            embed,
            live=False,
            on_event=hear,
            rng=np.random.default_rng(SEED),
        )
        try:
            rounds = Rounds(world, campaigns, Wish(days=7), model=model)
            whole = (end - START) / timedelta(hours=1)

            def step(now: datetime) -> None:
                on_step((now - START) / timedelta(hours=1), whole * 2, f"{now:%a %d %b %H:%M}  {latest[0]}")

            rehearse(world, rounds, end, approve_all=True, on_step=step)
            parts = iter(range(1, 4 * seeds + 1))
            comparison = compare(
                range(1, seeds + 1),
                campaigns[0],
                START,
                model,
                embed,
                lambda line: on_step(whole * (1 + next(parts) / (4 * seeds)), whole * 2, line),
                weeks,
            )
            got = len(network.ledger.ever(account, START, end + WEEK))
            return _gathered(world, campaigns[0], comparison, out, happened, got)
        finally:
            world.close()


def _gathered(
    world: World, campaign: Campaign, comparison: Comparison, out: Path, happened: Counter[str], got: int
) -> Shown:
    weights = campaign.objective.weights
    with world.db.read() as session:
        outcomes = decisions.outcomes(session)
        found = lift(outcomes, weights)
        heard = mentions.outcomes(session, START)
        refusals = decisions.refusals(session, START)
        published = calendar.count_by_state(session)[State.PUBLISHED]
        data = collect_report(
            session,
            None,
            world.clock(),
            weights,
            campaign.timezone,
            simulated=True,
            title="Kairos demo: four simulated weeks",
            notes=(
                comparison.words,
                "Everything on this page is simulated: it shows how Kairos works, not what you may expect.",
            ),
            tables=(_table(comparison),),
        )
        explained = tuple(explain(session, number) for number in _telling(outcomes))
    write_report(out, data)
    return Shown(
        out,
        published,
        happened["post.retry"] + happened["post.unknown"],
        got - published,
        comparison,
        found,
        explained,
        dict(Counter(row.outcome for row in heard)),
        dict(Counter(row.rule for row in refusals)),
        {row.rule: row.words for row in refusals},
    )


def _telling(outcomes: list[decisions.DecidedOutcome]) -> list[int]:
    """Decisions worth explaining, where there was a choice: what did best, what did worst, and what was held out."""
    decided = (row for row in outcomes if row.likes is not None and row.propensity < 1)
    measured = sorted(decided, key=lambda row: row.likes or 0)
    if not measured:
        return []
    held = next((row for row in measured if row.holdout), measured[len(measured) // 2])
    return list(dict.fromkeys((measured[-1].decision_id, measured[0].decision_id, held.decision_id)))


def _table(comparison: Comparison) -> Extra:
    return Extra(
        title=f"Ways to choose, on {comparison.worlds} simulated worlds",
        columns=("who chooses", "points per post", "against chance", "95 % interval", "of the oracle's gain"),
        rows=[
            (r.name, f"{r.points:.0f}", f"x{r.gain:.2f}", f"{r.low:.2f} to {r.high:.2f}", f"{r.of_oracle:.0%}")
            for r in comparison.ways
        ],
        caption=f"{comparison.words} Expected points without luck, {comparison.posts} posts a world, the same planner, "
        "rules and history for all. SIMULATED.",
    )
