"""What the rulebook asks of the tables: intervals are [since, until), and the row that asks never counts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from storage import engagement, mentions, notes, outbox
from storage.database import Database
from storage.facts import StoredFacts, StoredText
from storage.models import Account, Post, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = "fake/main"
FIRST, LAST = NOON - 24 * HOUR, NOON + 24 * HOUR
OUT = (State.PUBLISHED, State.SENDING, State.UNKNOWN)
MEANT = (State.PLANNED, State.CLAIMED)


def standing(rows: Any, state: State, at: datetime, **changes: Any) -> Post:
    """A post in this state whose own time, the one that counts for that state, is `at`."""
    elsewhere = {"not_before": NOON + 900 * HOUR, "slot_at": at}
    times: dict[State, dict[str, Any]] = {
        State.PUBLISHED: {"published_at": at, "ref": f"r{at}{changes.get('item')}"},
        State.SENDING: {"intent_at": at},
        State.UNKNOWN: {"intent_at": at},
        State.PLANNED: {"not_before": at},
        State.CLAIMED: {"not_before": at},
    }
    post: Post = rows.post(state=state, **elsewhere | times.get(state, {"not_before": at}) | changes)
    return post


def put(session: Session, *posts: Post) -> list[int]:
    return [post.id for post in outbox.add(session, posts) if post.id is not None]


# --- stopped and paused ---------------------------------------------------------------------------------------------


def test_everything_is_stopped_by_the_note_or_by_the_file(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    with db.write() as session:
        facts = StoredFacts(session, file)
        assert facts.stopped() is None
        file.touch()
        assert facts.stopped() == "the file STOP is there"
        notes.set_note(session, notes.STOPPED, "by hand", NOON)
        assert facts.stopped() == "by hand"
        notes.set_note(session, notes.STOPPED, "", NOON)
        assert facts.stopped() == "stopped without a reason given"
        assert StoredFacts(session).stopped() is not None


def test_an_account_is_paused_with_its_reason(db: Database) -> None:
    with db.write() as session:
        account = engagement.ensure_account(session, ACCOUNT, NOON)
        assert StoredFacts(session).paused(ACCOUNT) is None
        account.paused_reason = "log in again"
        session.add(account)
        assert StoredFacts(session).paused(ACCOUNT) == "log in again"
        assert StoredFacts(session).paused("fake/nobody") is None


# --- what went out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_what_went_out_or_may_have_always_counts_what_is_meant_to_only_when_asked(
    db: Database, rows: Any, state: State
) -> None:
    with db.write() as session:
        put(session, standing(rows, state, NOON))
        sent = StoredFacts(session).sent
        assert sent(ACCOUNT, None, FIRST, LAST, planned=False) == ([NOON] if state in OUT else [])
        assert sent(ACCOUNT, None, FIRST, LAST, planned=True) == ([NOON] if state in (*OUT, *MEANT) else [])


@pytest.mark.parametrize("state", [*OUT, *MEANT])
def test_an_interval_holds_its_first_moment_and_not_its_last(db: Database, rows: Any, state: State) -> None:
    moments = [FIRST - timedelta(microseconds=1), FIRST, LAST - timedelta(microseconds=1), LAST]
    with db.write() as session:
        put(session, *(standing(rows, state, moment) for moment in moments))
        assert StoredFacts(session).sent(None, None, FIRST, LAST, planned=True) == moments[1:3]


def test_what_was_sent_is_asked_by_account_and_kind_oldest_first(db: Database, rows: Any) -> None:
    with db.write() as session:
        put(
            session,
            standing(rows, State.PUBLISHED, NOON),
            standing(rows, State.UNKNOWN, NOON - HOUR, kind="reply"),
            standing(rows, State.PLANNED, NOON + HOUR, account="fake/other"),
        )
        sent = StoredFacts(session).sent
        assert sent(None, None, FIRST, LAST, planned=True) == [NOON - HOUR, NOON, NOON + HOUR]
        assert sent(ACCOUNT, None, FIRST, LAST, planned=True) == [NOON - HOUR, NOON]
        assert sent(ACCOUNT, "post", FIRST, LAST, planned=True) == [NOON]
        assert sent(None, "reply", FIRST, LAST, planned=True) == [NOON - HOUR]


def test_an_unknown_post_without_an_intent_counts_when_it_was_last_changed(db: Database, rows: Any) -> None:
    with db.write() as session:
        put(session, rows.post(state=State.UNKNOWN, intent_at=None, updated_at=NOON))
        assert StoredFacts(session).sent(None, None, NOON, LAST, planned=False) == [NOON]


@pytest.mark.parametrize("state", [*OUT, *MEANT])
def test_the_row_that_asks_never_counts(db: Database, rows: Any, state: State) -> None:
    with db.write() as session:
        (post_id,) = put(session, standing(rows, state, NOON))
        facts = StoredFacts(session)
        assert facts.sent(None, None, FIRST, LAST, planned=True, apart_from=post_id) == []
        assert facts.texts("fake", FIRST, LAST, planned=True, apart_from=post_id) == []


# --- texts ----------------------------------------------------------------------------------------------------------


def said(session: Session, *, planned: bool = True, platform: str = "fake") -> list[str]:
    return [text.text for text in StoredFacts(session).texts(platform, FIRST, LAST, planned=planned)]


def test_texts_are_those_of_posts_on_the_platform_by_any_of_our_accounts(db: Database, rows: Any) -> None:
    with db.write() as session:
        put(
            session,
            standing(rows, State.PUBLISHED, NOON, draft={"title": "T", "text": "out", "parts": ["more"]}, item="out"),
            standing(rows, State.PLANNED, NOON + HOUR, text="meant", account="fake/other"),
            standing(rows, State.HELD, NOON, text="held"),
            standing(rows, State.PUBLISHED, NOON, text="answer", kind="reply", item="a"),
            standing(rows, State.PUBLISHED, NOON, text="elsewhere", account="fakeface/main", item="b"),
        )
        assert said(session) == ["T out more", "meant"]
        assert said(session, planned=False) == ["T out more"]
        assert said(session, platform="fakeface") == ["elsewhere"]
        assert said(session, platform="fake%") == []
        assert StoredFacts(session).texts("fake", FIRST, LAST, planned=False) == [
            StoredText(ACCOUNT, "fake", "T out more", NOON, "launch", "out")
        ]


def record(session: Session, account: str, *own: engagement.HistoryRow, source: str = "backfill") -> None:
    engagement.record_history(session, account, own, source, NOON)


def test_what_was_public_before_kairos_counts_too(db: Database, rows: Any) -> None:
    with db.write() as session:
        put(session, standing(rows, State.PLANNED, NOON, text="meant"))
        record(
            session,
            ACCOUNT,
            rows.past("a", text="by hand", created_at=FIRST),
            rows.past("b", text="too old", created_at=FIRST - timedelta(microseconds=1)),
            rows.past("c", text="too new", created_at=LAST),
            rows.past("d", text="answer", created_at=NOON, kind="reply"),
        )
        record(session, "fake/other", rows.past("a", text="imported", created_at=NOON + HOUR), source="import:csv")
        record(session, "fakeface/main", rows.past("a", text="elsewhere", created_at=NOON))
        assert said(session) == ["by hand", "meant", "imported"]
        assert said(session, planned=False) == ["by hand", "imported"]
        assert StoredFacts(session).texts("fake", FIRST, NOON, planned=False) == [
            StoredText(ACCOUNT, "fake", "by hand", FIRST, "", "")
        ]


def test_what_kairos_published_counts_once_not_again_for_its_history(db: Database, rows: Any) -> None:
    with db.write() as session:
        (post_id,) = put(session, rows.post(text="hello"))
        outbox.published(session, post_id, ref="a", published_at=NOON, now=NOON)
        assert said(session) == ["hello"]


# --- answers --------------------------------------------------------------------------------------------------------


def answer(session: Session, rows: Any, state: State = State.PUBLISHED, at: datetime = NOON, **heard: Any) -> int:
    """Ids of an answer of ours to a new mention; keywords change the mention."""
    (inbound,) = mentions.add_mentions(session, [rows.mention(**heard)])
    (post_id,) = put(session, standing(rows, state, at, kind="reply", mention_id=inbound.id, item=inbound.ref))
    return post_id


def test_answers_to_a_person_are_counted_in_an_interval_planned_ones_too(db: Database, rows: Any) -> None:
    with db.write() as session:
        answer(session, rows, author_hash="ann")
        mine = answer(session, rows, State.PLANNED, NOON + HOUR, author_hash="ann", account="fake/other")
        answer(session, rows, State.HELD, author_hash="ann")
        answer(session, rows, author_hash="bob")
        facts = StoredFacts(session)
        assert facts.replies_to("ann", FIRST, LAST) == 2
        assert facts.replies_to("ann", FIRST, NOON + HOUR) == 1
        assert facts.replies_to("ann", FIRST, LAST, apart_from=mine) == 1
        assert facts.replies_to("cid", FIRST, LAST) == 0


@pytest.mark.parametrize("state", list(State))
def test_a_text_has_its_answer_once_one_is_meant_out_or_may_be(db: Database, rows: Any, state: State) -> None:
    counts = state in (*OUT, *MEANT)
    with db.write() as session:
        mine = answer(session, rows, state, ref="m1", thread="t1")
        facts = StoredFacts(session)
        assert facts.answered("fake", "m1") == counts
        assert facts.replies_in(ACCOUNT, "t1") == int(counts)
        assert not facts.answered("fake", "m1", apart_from=mine)
        assert facts.replies_in(ACCOUNT, "t1", apart_from=mine) == 0


def test_an_answer_of_any_account_of_the_platform_is_the_answer(db: Database, rows: Any) -> None:
    with db.write() as session:
        answer(session, rows, account="fake/other", ref="m1", thread="t1")
        facts = StoredFacts(session)
        assert facts.answered("fake", "m1")
        assert not facts.answered("fakeface", "m1")
        assert not facts.answered("fak", "m1")
        assert not facts.answered("fake", "m2")


def test_answers_above_a_text_are_counted_along_the_chain(db: Database, rows: Any) -> None:
    """person: m1 <- we: r1 <- person: m2 <- we: r2 <- person: m3"""
    with db.write() as session:
        facts = StoredFacts(session)
        above = None
        for place in (1, 2):
            (heard,) = mentions.add_mentions(session, [rows.mention(ref=f"m{place}", in_reply_to=above)])
            (post_id,) = put(session, rows.post(kind="reply", mention_id=heard.id))
            assert facts.replies_above(ACCOUNT, f"m{place}") == place - 1
            outbox.published(session, post_id, ref=f"r{place}", published_at=NOON, now=NOON)
            above = f"r{place}"
        mentions.add_mentions(session, [rows.mention(ref="m3", in_reply_to="r2")])
        assert facts.replies_above(ACCOUNT, "r2") == 2
        assert facts.replies_above(ACCOUNT, "m3") == 2
        assert facts.replies_above("fake/other", "m3") == 0
        assert facts.replies_above(ACCOUNT, "never heard") == 0


def test_a_chain_that_bites_its_tail_has_an_end(db: Database, rows: Any) -> None:
    with db.write() as session:
        mentions.add_mentions(
            session, [rows.mention(ref="m1", in_reply_to="m2"), rows.mention(ref="m2", in_reply_to="m1")]
        )
        assert StoredFacts(session).replies_above(ACCOUNT, "m1") == 0


def test_a_wish_for_silence_is_known(db: Database) -> None:
    with db.write() as session:
        mentions.do_not_contact(session, "ann", "fake", "said stop", NOON)
        assert StoredFacts(session).do_not_contact("ann")
        assert not StoredFacts(session).do_not_contact("bob")


def test_an_account_row_is_not_needed_to_be_asked_about(db: Database) -> None:
    with db.read() as session:
        assert session.get(Account, ACCOUNT) is None
        assert StoredFacts(session).sent(ACCOUNT, None, FIRST, LAST, planned=True) == []
