"""What no plan may ever do, whatever stands in the outbox: property tests on a real database."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from bot.planner.apply import apply
from bot.planner.desk import desk
from bot.planner.plan import plan
from bot.planner.wordings import Voice, Wording
from bot.policy.rulebook import permit
from bot.policy.tightening import settings_of
from scheduler.drafts import from_json
from scheduler.slots import Slot
from storage import outbox
from storage.database import Database, open_database
from storage.facts import StoredFacts
from storage.models import Decision, Post, State

BERLIN = ZoneInfo("Europe/Berlin")
STARTS = [
    datetime(2026, 11, 23, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 28, 13, 7, tzinfo=UTC),
    datetime(2026, 3, 25, 22, 59, 31, tzinfo=UTC),  # the clocks go forward on the 29th
    datetime(2026, 10, 22, 11, tzinfo=UTC),  # and back on the 25th
]
LEAD = timedelta(minutes=5)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples: each rolls back what it did."""
    db = open_database(Path(tmp_path_factory.mktemp("never")) / "kairos.db")
    yield db
    db.close()


@st.composite
def campaigns(draw: st.DrawFn, make: Any, now: datetime) -> Any:
    posts = []
    for place in range(draw(st.integers(1, 8))):
        item: dict[str, Any] = {"id": f"p{place}", "text": make.texts[place]}
        if draw(st.booleans()):
            item |= {"text": None, "variants": [{"text": make.texts[place]}, {"text": f"{make.texts[place]} Or not?"}]}
        extra = draw(st.sampled_from(["", "", "", "at", "recurring", "both"]))
        if extra in ("at", "both"):
            at = now.astimezone(BERLIN) + timedelta(minutes=draw(st.integers(-3000, 15000)))
            item["at"] = f"{at:%Y-%m-%dT%H:%M}"
        if extra in ("recurring", "both"):
            item["recurring"] = {"every": draw(st.sampled_from(["7d", "10d"])), "times": draw(st.integers(1, 4))}
        posts.append(item)
    when: dict[str, Any] = {
        "posts_per_week": draw(st.sampled_from([1, 2, 3, 5, 7, 14, 60])),
        "spacing": draw(st.sampled_from(["5m", "1h", "4h", "2d"])),
        "holdout": draw(st.sampled_from([0, 0.5])),
        "pick": draw(st.sampled_from(["best", "best", "even", "fixed"])),
        "window": {
            "days": draw(st.lists(st.sampled_from(["mon", "tue", "thu", "sat", "sun"]), min_size=1, unique=True)),
            "from": draw(st.sampled_from(["00:00", "02:30", "08:00"])),
            "to": draw(st.sampled_from(["10:00", "23:30"])),
        },
    }
    if when["pick"] == "fixed":
        when["at"] = draw(
            st.sampled_from([["09:00"], ["mon 02:30", "sun 02:30", "12:00"], ["08:00", "08:20", "08:40"]])
        )
    accounts = draw(st.sampled_from([["sandbox/main"], ["sandbox/main", "other/b"]]))
    return make.campaign(posts, when=when, accounts=accounts, mode=draw(st.sampled_from(["auto", "approve"])))


@st.composite
def outboxes(draw: st.DrawFn, make: Any, now: datetime) -> list[Post]:
    rows: dict[tuple[str, str, str], Post] = {}
    for number in range(draw(st.integers(0, 10))):
        campaign = draw(st.sampled_from(["launch", "launch", "other"]))
        item = draw(st.sampled_from([f"p{place}" for place in range(8)]))
        at = (now + timedelta(minutes=draw(st.integers(-15000, 15000)))).replace(second=0)
        local = f"{at.astimezone(BERLIN):%Y-%m-%dT%H:%M}"
        state = draw(st.sampled_from(list(State)))
        keys: dict[str, Any] = {"state": state, "campaign": campaign, "key": f"old-{number}"}
        if state is State.PUBLISHED:
            keys |= {"published_at": at + timedelta(seconds=draw(st.integers(0, 3600))), "ref": str(number)}
        if draw(st.booleans()):
            keys["approved_digest"] = "x"
        text = f"{make.texts[int(item[1])]} Said before, {number} times and in other words than these." * 2
        rows[campaign, item, local] = make.row(item, at, local, text, **keys)
    return list(rows.values())


def look(session: Session, campaign: Any, make: Any, now: datetime) -> Any:
    taste = make.taste(lambda candidate: (candidate.at.hour * 7 % 24) / 12 + len(candidate.text) / 100)
    return desk(
        session,
        campaign,
        now=now,
        until=now + timedelta(days=9),
        forecaster=lambda account: taste,
        abilities=make.able,
        seed=4,
        explore=True,
    )


def standing(session: Session) -> list[Post]:
    rows = session.exec(select(Post).order_by(Post.id)).all()
    return [row for row in rows if row.state not in (State.CANCELLED, State.FAILED)]


def when(row: Post) -> datetime:
    return row.published_at or row.not_before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_plan_ever_breaks_a_promise(make: Any, world: Database, data: st.DataObject) -> None:
    now = data.draw(st.sampled_from(STARTS))
    campaign = data.draw(campaigns(make, now))
    before = data.draw(outboxes(make, now))
    with world.write() as session:
        outbox.add(session, before)
        touched = {
            row.id
            for row in standing(session)
            if row.campaign != "launch"
            or row.state not in (State.PLANNED, State.HELD)
            or row.approved_digest
            or row.slot_at <= now + LEAD
        }
        made = plan(campaign, look(session, campaign, make, now))
        added = apply(session, made, campaign, now, "install")
        rows = standing(session)
        fresh = {row.id for row in added}
        assert touched <= {row.id for row in rows} == touched | fresh
        assert len(added) == len(made.posts)
        for row in added:
            others = [other for other in rows if other.id != row.id and other.account == row.account]
            check_time(campaign, row, now)
            check_company(campaign, row, others)
            check_rules(session, campaign, row, make)
        for post in made.posts:
            assert abs(sum(option.propensity for option in post.options) - 1) < 1e-9
            assert post.options[post.chosen].slot == post.slot
        accounted = {(each.account, each.item) for each in (*made.posts, *made.unplaced)}
        accounted |= {(row.account, row.item) for row in rows if row.campaign == "launch"}
        once = [item for item in campaign.posts if item.recurring is None]
        assert {(account, item.id) for account in campaign.accounts for item in once} <= accounted

        logged = session.exec(select(Decision)).all()
        assert len(logged) == len(added)
        assert apply(session, plan(campaign, look(session, campaign, make, now)), campaign, now, "install") == []
        assert [row.id for row in standing(session)] == [row.id for row in rows]
        session.rollback()


def check_time(campaign: Any, row: Post, now: datetime) -> None:
    """Not now, not after the end, and in the window, unless its own time says otherwise."""
    assert now + LEAD < row.slot_at <= now + timedelta(days=9)
    item = next(item for item in campaign.posts if item.id == row.item)
    if item.at is not None:
        assert item.at <= datetime.fromisoformat(row.local_slot)
        assert item.at.time() == datetime.fromisoformat(row.local_slot).time()
    elif campaign.when.pick != "fixed":
        wall = datetime.fromisoformat(row.local_slot)
        window = campaign.when.window
        assert window.from_ <= wall.time() < window.to
        assert ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[wall.weekday()] in window.days


def check_company(campaign: Any, row: Post, others: list[Post]) -> None:
    """Each once, spaced, and no more a week than the campaign says."""
    item = next(item for item in campaign.posts if item.id == row.item)
    assert all(abs(when(other) - row.slot_at) >= campaign.when.spacing for other in others)
    own = [other for other in others if other.campaign == "launch"]
    same = [other for other in own if other.item == row.item]
    if item.recurring is None:
        assert same == []
    else:
        walls = [datetime.fromisoformat(each.local_slot) for each in (row, *same)]
        for other, wall in zip(same, walls[1:], strict=True):
            if other.slot_at <= row.slot_at:
                assert max(row.slot_at - other.slot_at, walls[0] - wall) >= item.recurring.every
        assert len(same) < item.recurring.times or len(same) + 1 <= item.recurring.times
    weeks = Counter(when(each).astimezone(BERLIN).isocalendar()[:2] for each in (row, *own))
    assert weeks[row.slot_at.astimezone(BERLIN).isocalendar()[:2]] <= campaign.when.posts_per_week


def check_rules(session: Session, campaign: Any, row: Post, make: Any) -> None:
    """Judged again among all that now stands, the rulebook still permits it."""
    item = next(item for item in campaign.posts if item.id == row.item)
    draft = from_json(row.draft)
    voice = Voice(row.account, make.able(row.account), False)
    proposal = voice.propose(
        campaign,
        item,
        Wording(row.variant, draft, row.digest, draft.text, len(draft.text)),
        Slot(row.local_slot, row.slot_at),
    )
    assert permit(proposal, Apart(StoredFacts(session), row), settings_of(campaign), "plan") is None


class Apart:
    """The facts without one row."""

    def __init__(self, facts: StoredFacts, row: Post) -> None:
        self._facts, self._id = facts, row.id

    def sent(self, *args: Any, apart_from: int | None = None, **keys: Any) -> Any:
        return self._facts.sent(*args, apart_from=self._id, **keys)

    def texts(self, *args: Any, apart_from: int | None = None, **keys: Any) -> Any:
        return self._facts.texts(*args, apart_from=self._id, **keys)
