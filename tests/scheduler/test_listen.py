"""Mentions are taken in page by page, each once, with their cursor in the same transaction."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import Session, select

from connectors.base import Mention, MentionPage, Ref
from connectors.errors import Unavailable
from scheduler.listen import MOST_PAGES, listen
from storage.models import Inbound

KEY = b"k" * 32


def page(clock: Any, first: int, count: int, cursor: str | None) -> MentionPage:
    return MentionPage(
        tuple(
            Mention(
                ref=Ref(f"m{place}"),
                author_id=f"person{place % 2}",
                author="@someone",
                text=f"question {place}",
                created_at=clock() - timedelta(minutes=5),
                address="mention",
                thread=Ref("t"),
                in_reply_to=Ref("ours"),
            )
            for place in range(first, first + count)
        ),
        cursor,
    )


def hear(stage: Any, triage: Any = lambda session, inbound: None, accounts: tuple[str, ...] = ("fake/main",)) -> int:
    return listen(stage.db, stage.connectors, accounts, stage.clock, KEY, triage, stage.events.append)


def rows(stage: Any) -> list[Inbound]:
    with stage.db.read() as session:
        return sorted(session.exec(select(Inbound)).all(), key=lambda row: row.id or 0)


def test_all_pages_are_read_until_the_cursor_stands_still(stage: Any) -> None:
    stage.platform.pages = {None: page(stage.clock, 0, 3, "a"), "a": page(stage.clock, 3, 2, "b")}
    seen: list[str] = []
    assert hear(stage, lambda session, inbound: seen.append(inbound.text)) == 5
    assert stage.account().mention_cursor == "b"
    assert seen == [f"question {place}" for place in range(5)]
    first = rows(stage)[0]
    assert (first.ref, first.thread, first.in_reply_to, first.address) == ("m0", "t", "ours", "mention")
    assert first.seen_at == stage.clock()
    assert stage.platform.cursors == [None, "a", "b"]
    assert hear(stage) == 0


def test_of_an_author_only_a_keyed_hash_is_derived(stage: Any) -> None:
    stage.platform.pages = {None: page(stage.clock, 0, 4, "a")}
    hear(stage)
    hashes = [row.author_hash for row in rows(stage)]
    assert hashes[0] == hashes[2] != hashes[1]
    assert "person" not in "".join(hashes)


def test_a_page_that_comes_twice_adds_nothing_and_asks_nobody_twice(stage: Any) -> None:
    stage.platform.pages = {None: page(stage.clock, 0, 3, "a"), "a": page(stage.clock, 0, 4, "b")}
    seen: list[str] = []
    assert hear(stage, lambda session, inbound: seen.append(inbound.ref)) == 4
    assert seen == ["m0", "m1", "m2", "m3"]


def test_a_triage_that_breaks_leaves_neither_mention_nor_cursor(stage: Any) -> None:
    stage.platform.pages = {None: page(stage.clock, 0, 3, "a")}

    def triage(session: Session, inbound: Inbound) -> None:
        if inbound.ref == "m2":
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        hear(stage, triage)
    assert rows(stage) == []
    assert stage.account().mention_cursor is None
    assert hear(stage) == 3


def test_a_platform_that_does_not_answer_stops_only_its_own_account(stage: Any) -> None:
    other = type(stage.platform)(stage.clock)
    stage.platforms["fake/other"] = other
    stage.platform.broken = Unavailable("no route")
    other.pages = {None: page(stage.clock, 0, 2, "a")}
    assert hear(stage, accounts=("fake/main", "fake/other")) == 2
    assert stage.told() == ["listen.failed", "listen.heard"]
    assert "question" not in str(stage.events)


def test_a_cursor_that_never_stands_still_is_left_after_a_bounded_number_of_pages(stage: Any) -> None:
    cursors = [None, *(f"c{place}" for place in range(100))]
    stage.platform.pages = {
        here: page(stage.clock, place, 1, there) for place, (here, there) in enumerate(pairwise(cursors))
    }
    assert hear(stage) == MOST_PAGES
    assert hear(stage) == MOST_PAGES
