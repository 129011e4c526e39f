"""Engagement is measured at fixed ages, and earlier posts are taken in once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from connectors.base import Counts, OwnPost, Ref
from connectors.errors import Unavailable
from scheduler.collect import backfill, collect_due
from storage.models import History, Snapshot

AGES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
OTHER = "fake/other"


def snapshots(stage: Any) -> list[Snapshot]:
    with stage.db.read() as session:
        return sorted(session.exec(select(Snapshot)).all(), key=lambda row: row.id or 0)


def collect(stage: Any) -> int:
    return collect_due(stage.db, stage.connectors, stage.clock, AGES, stage.events.append)


def test_a_published_post_is_measured_once_at_each_age(stage: Any) -> None:
    stage.plan()
    stage.deliverer().tick()
    assert collect(stage) == 0
    stage.platform.counts["0"] = Counts(likes=3, impressions=None)
    stage.later(hours=1, minutes=2)
    assert collect(stage) == 1
    assert collect(stage) == 0
    stage.platform.counts["0"] = Counts(likes=9)
    stage.later(hours=6)
    assert collect(stage) == 1
    first, second = snapshots(stage)
    assert (first.due_age_s, first.age_s, first.likes, first.impressions) == (3600, 3720, 3, None)
    assert (second.due_age_s, second.likes) == (6 * 3600, 9)


def test_a_post_that_is_gone_is_not_asked_about_again_at_that_age(stage: Any) -> None:
    stage.plan()
    stage.deliverer().tick()
    stage.later(hours=1)
    collect(stage)
    collect(stage)
    assert len(stage.platform.measured) == 1
    assert snapshots(stage)[0].likes is None


def test_a_platform_that_does_not_answer_stops_only_its_own_account(stage: Any) -> None:
    stage.platforms[OTHER] = type(stage.platform)(stage.clock)
    stage.plan()
    stage.plan(account=OTHER)
    stage.deliverer().tick()
    for platform in stage.platforms.values():
        platform.counts["0"] = Counts(likes=1)
    stage.platform.broken = Unavailable("no route")
    stage.later(hours=1)
    assert collect(stage) == 1
    (failed,) = [event for event in stage.events if event.name == "collect.failed"]
    assert (failed.account, failed.words) == ("fake/main", "no route")
    stage.platform.broken = None
    assert collect(stage) == 1


def test_earlier_posts_are_taken_in_once_with_their_counts(stage: Any) -> None:
    stage.platform.own = [
        OwnPost(
            Ref(f"old{place}"), f"old text {place}", stage.clock() - timedelta(days=place), counts=Counts(likes=place)
        )
        for place in range(1, 451)
    ]

    def take_in() -> int:
        return backfill(stage.db, stage.connectors, "fake/main", stage.clock, None)

    assert take_in() == 450
    assert stage.account().backfilled_at == stage.clock()
    assert take_in() == 0
    with stage.db.read() as session:
        rows = list(session.exec(select(History)).all())
    assert {row.source for row in rows} == {"backfill"}
    assert len(rows) == 450


def test_a_backfill_that_breaks_keeps_what_it_read_and_is_not_marked_done(stage: Any) -> None:
    stage.platform.own = [
        OwnPost(Ref(f"old{place}"), "old", stage.clock() - timedelta(days=place)) for place in range(1, 251)
    ]
    stage.platform.broken = Unavailable("no route")
    with pytest.raises(Unavailable):
        backfill(stage.db, stage.connectors, "fake/main", stage.clock, None)
    assert stage.account().backfilled_at is None
    stage.platform.broken = None
    assert 0 < backfill(stage.db, stage.connectors, "fake/main", stage.clock, None) < 250
