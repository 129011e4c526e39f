"""A desk for the planner's tests: a campaign from a few keys, a forecaster of taste, a real database where needed."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import log1p
from pathlib import Path
from typing import Any

import pytest

from bot.abilities import Abilities
from bot.attention.forecast import Attended, Candidate, Forecast, PastPost
from bot.campaign.schema import Campaign
from bot.planner.base import Desk, Standing
from bot.policy.plain import PlainFacts
from connectors.base import Capabilities, Draft
from scheduler.drafts import to_json
from storage.database import Database, open_database
from storage.history import MeasuredPost
from storage.models import Post, State
from storage.outbox import digest_of

MONDAY = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
"""Half past six in Berlin, before any window opens."""
ACCOUNT = "sandbox/main"
TEXTS = (
    "We shipped a search that needs no server.",
    "Visitors mistype one word in nine, and find it all the same.",
    "A museum put it on eleven thousand pages of its catalogue.",
    "The index of a large site weighs less than one photograph.",
    "Our worst bug was a cache that lasted a year; here is the fix.",
    "Twenty-nine languages have stemming, and three need no word list.",
    "Half of our contributors had never opened a pull request before.",
    "Nothing you type ever leaves the browser you type it in.",
    "Ask us anything this afternoon, we answer until the coffee is gone.",
    "Weigh titles three times as much as text; it is our best line of config.",
)


class Taste:
    """A forecaster that knows what it likes: `of(candidate)` is the expected z, doubt is fixed, a centre of 10."""

    def __init__(self, of: Callable[[Candidate], float] = lambda candidate: 0.0, name: str = "attention") -> None:
        self.of, self.name, self.version = of, name, "v1"
        self.calls: list[tuple[str, int]] = []
        self.attended: tuple[Attended, ...] = ()
        self.centres: Mapping[str, float] = {}

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        self.calls.append((action, len(candidates)))
        centre = log1p(self.centres.get(action, 10.0))
        made = [Forecast.normal(self.of(candidate), 0.5, centre, 1.0) for candidate in candidates]
        return [Forecast(one.probabilities, one.centre, one.spread, self.attended) for one in made]


def hour(candidate: Candidate) -> int:
    """Hour of the day in Berlin in winter."""
    return (candidate.at + timedelta(hours=1)).hour


def items(count: int, **more: Any) -> list[dict[str, Any]]:
    """So many posts `p0`, `p1` ... with texts that nobody could confuse."""
    return [{"id": f"p{place}", "text": TEXTS[place], **more} for place in range(count)]


def make_campaign(posts: Sequence[Mapping[str, Any]] | None = None, **keys: Any) -> Campaign:
    """A campaign in Berlin, `auto`, without a holdout, that wants likes; `when` changes only what it names."""
    when = {"posts_per_week": 7, "holdout": 0, "window": {"from": "08:00", "to": "20:00"}} | keys.pop("when", {})
    plain = {
        "version": 1,
        "name": "launch",
        "objective": {"like": 1},
        "accounts": [ACCOUNT],
        "timezone": "Europe/Berlin",
        "mode": "auto",
        "posts": list(posts if posts is not None else items(3)),
    }
    return Campaign.model_validate({**plain, "when": when, **keys})


def able(account: str) -> Abilities:
    """What the sandbox can do."""
    return Abilities(Capabilities(simulated=True), 500, len)


def make_desk(**keys: Any) -> Desk:
    """A desk on Monday morning with a week ahead, an empty outbox and no past, changed by keyword."""
    now = keys.pop("now", MONDAY)
    past = keys.pop("past", ())
    forecaster = keys.pop("forecaster", None) or Taste()
    plain: dict[str, Any] = {
        "now": now,
        "until": now + timedelta(days=keys.pop("days", 7)),
        "facts": PlainFacts(),
        "standing": (),
        "past": lambda account: past,
        "forecaster": forecaster if callable(forecaster) else lambda account: forecaster,
        "abilities": able,
        "seed": 1,
    }
    return Desk(**{**plain, **keys})


def stand(item: str, local: str, state: State = State.PUBLISHED, **keys: Any) -> Standing:
    """A row of the outbox as a plan sees it; `local` is a wall clock in Berlin in winter."""
    at = datetime.fromisoformat(local).replace(tzinfo=UTC) - timedelta(hours=1)
    plain: dict[str, Any] = {
        "post_id": 1,
        "campaign": "launch",
        "account": ACCOUNT,
        "item": item,
        "variant": "1",
        "local_slot": local,
        "slot_at": at,
        "at": at,
        "state": state,
        "digest": "",
        "untouched": False,
    }
    return Standing(**{**plain, **keys})


def measured(place: int, at: datetime, likes: int | None, **keys: Any) -> MeasuredPost:
    """A past post with finished counts, or none."""
    plain: dict[str, Any] = {
        "history_id": place,
        "ref": f"r{place}",
        "text": f"An older post, number {place}.",
        "kind": "text",
        "created_at": at,
        "likes": likes,
        "replies": None,
        "shares": None,
        "clicks": None,
        "impressions": None,
        "age_s": None if likes is None else 40 * 86400,
        "holdout": False,
        "source": "backfill",
    }
    return MeasuredPost(**{**plain, **keys})


def row(item: str, at: datetime, local: str, text: str = "", **keys: Any) -> Post:
    """A row for the outbox itself."""
    draft = to_json(Draft(text or f"The post {item}."))
    plain: dict[str, Any] = {
        "account": ACCOUNT,
        "campaign": "launch",
        "item": item,
        "variant": "1",
        "local_slot": local,
        "zone": "Europe/Berlin",
        "slot_at": at,
        "not_before": at,
        "draft": draft,
        "digest": digest_of(draft),
        "key": f"{item}-{local}-{keys.get('campaign', '')}",
        "created_at": at,
        "updated_at": at,
    }
    return Post(**{**plain, **keys})


class Make:
    """The tests' short verbs, in one hand."""

    monday, account = MONDAY, ACCOUNT
    campaign = staticmethod(make_campaign)
    desk = staticmethod(make_desk)
    items = staticmethod(items)
    stand = staticmethod(stand)
    measured = staticmethod(measured)
    row = staticmethod(row)
    able = staticmethod(able)
    hour = staticmethod(hour)
    taste = Taste
    texts = TEXTS


@pytest.fixture(scope="session")
def make() -> Make:
    """Campaigns, desks, rows and forecasters for the planner."""
    return Make()


@pytest.fixture
def db(tmp_path: Path, empty: Path) -> Iterator[Database]:
    """A real database."""
    opened = open_database(Path(shutil.copy(empty, tmp_path)), migrate=False)
    yield opened
    opened.close()
