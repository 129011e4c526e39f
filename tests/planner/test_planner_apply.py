"""A plan in the outbox: rows, decisions, modes, keys; planning again changes only what differs. A real database."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from bot.planner.apply import apply
from bot.planner.base import Desk, Plan
from bot.planner.desk import desk, standing
from bot.planner.plan import plan
from connectors.base import Draft
from scheduler.drafts import from_json, to_json
from storage import engagement, outbox
from storage.database import Database, install_id
from storage.models import Decision, Post, State

LATER = timedelta(hours=1)


def look(session: Session, campaign: Any, make: Any, **keys: Any) -> Desk:
    now = keys.pop("now", make.monday)
    forecaster = keys.pop("forecaster", None) or make.taste()
    plain = {"now": now, "until": now + timedelta(days=7), "seed": 1, "abilities": make.able}
    return desk(session, campaign, forecaster=lambda account: forecaster, **{**plain, **keys})


def carry_out(db: Database, campaign: Any, make: Any, now: Any = None, **keys: Any) -> list[Post]:
    now = now or make.monday
    with db.write() as session:
        made = plan(campaign, look(session, campaign, make, now=now, **keys))
        return apply(session, made, campaign, now, install_id(session))


def rows(db: Database, kind: Any = Post) -> list[Any]:
    with db.read() as session:
        return list(session.exec(select(kind).order_by(kind.id)).all())


def test_a_plan_becomes_planned_rows_with_their_decisions(db: Database, make: Any) -> None:
    campaign = make.campaign(make.items(3), when={"holdout": 0.3})
    with db.write() as session:
        made = plan(campaign, look(session, campaign, make))
        added = apply(session, made, campaign, make.monday, "install")
    assert [post.item for post in added] == ["p0", "p1", "p2"]
    logged = {decision.id: decision for decision in rows(db, Decision)}
    assert len(logged) == 3
    for post, planned in zip(rows(db), made.posts, strict=True):
        assert (post.state, post.rule, post.reason) == (State.PLANNED, None, None)
        assert (post.account, post.campaign, post.item, post.variant) == ("sandbox/main", "launch", planned.item, "1")
        assert (post.local_slot, post.slot_at, post.not_before) == (
            planned.slot.local,
            planned.slot.at,
            planned.slot.at,
        )
        assert (post.zone, post.kind, post.holdout) == ("Europe/Berlin", "post", planned.holdout)
        assert from_json(post.draft) == planned.draft
        assert post.digest == outbox.digest_of(to_json(planned.draft))
        decision = logged[post.decision_id]
        assert (decision.at, decision.item, decision.seed) == (make.monday, post.item, 1)
        assert (decision.model, decision.weights) == ("attention v1", {"likes": 1.0})
        assert (decision.reason, decision.propensity, decision.holdout) == (
            planned.reason,
            planned.propensity,
            planned.holdout,
        )
        chosen = decision.candidates[decision.chosen]
        assert (chosen["variant"], chosen["slot"]) == (post.variant, post.local_slot)
        assert set(chosen) == {
            *("variant", "text", "kind", "slot"),
            *("score", "mean", "sd", "low", "high", "propensity"),
        }
        assert sum(candidate["propensity"] for candidate in decision.candidates) == pytest.approx(1)
    assert [account.id for account in rows_of_accounts(db)] == ["sandbox/main"]


def rows_of_accounts(db: Database) -> list[Any]:
    with db.read() as session:
        return engagement.accounts(session)


def test_refused_candidates_and_past_posts_are_logged_too(db: Database, make: Any) -> None:
    from bot.attention.forecast import Attended

    with db.write() as session:
        past = engagement.HistoryRow("r1", "An older post.", "text", make.monday - timedelta(days=40), likes=9)
        engagement.record_history(session, "sandbox/main", [past], "backfill", make.monday)
    taste = make.taste()
    taste.attended = (Attended(0, 0.75),)
    campaign = make.campaign([{"id": "p0", "variants": [{"text": "Hello @stranger"}, {"text": "Hello"}]}])
    carry_out(db, campaign, make, forecaster=taste)
    (decision,) = rows(db, Decision)
    assert decision.attended == [{"history_id": 1, "weight": 0.75}]
    assert {(one["variant"], one["rule"]) for one in decision.removed} == {("1", "P1")}
    assert set(decision.removed[0]) == {"variant", "slot", "rule", "reason"}


def test_in_approve_mode_posts_wait_for_a_person(db: Database, make: Any) -> None:
    carry_out(db, make.campaign(make.items(2), mode="approve"), make)
    for post in rows(db):
        assert (post.state, post.rule) == (State.HELD, "S3")
        assert post.reason == "campaign launch asks a person first: approve or reject it"
        assert post.decision_id is not None


def test_in_draft_mode_nothing_is_written(db: Database, make: Any) -> None:
    assert carry_out(db, make.campaign(make.items(2), mode="draft"), make) == []
    assert (rows(db), rows(db, Decision)) == ([], [])


def test_a_campaign_put_back_to_draft_takes_back_what_nobody_has_touched(db: Database, make: Any) -> None:
    carry_out(db, make.campaign(make.items(2)), make)
    with db.write() as session:
        outbox.approve(session, rows(db)[0].id, make.monday)
    carry_out(db, make.campaign(make.items(2), mode="draft"), make)
    assert [post.item for post in rows(db)] == ["p0"]


def test_planning_the_same_again_touches_no_row_and_logs_nothing(db: Database, make: Any) -> None:
    for mode in ("auto", "approve"):
        campaign = make.campaign(make.items(4), mode=mode, name=f"launch-{mode}", when={"holdout": 0.5})
        first = carry_out(db, campaign, make)
        before = [row.model_dump() for row in rows(db)], len(rows(db, Decision))
        assert carry_out(db, campaign, make, make.monday + timedelta(minutes=10)) == []
        assert ([row.model_dump() for row in rows(db)], len(rows(db, Decision))) == before
        assert len(first) == 4
        with db.write() as session:
            for row in first:
                outbox.cancel(session, row.id, reason="done", now=make.monday)


def test_only_what_differs_is_written_anew(db: Database, make: Any) -> None:
    first = carry_out(db, make.campaign(make.items(3)), make)
    changed = make.items(3)
    changed[1]["text"] = make.texts[8]
    added = carry_out(db, make.campaign(changed), make)
    assert [post.item for post in added] == ["p1"]
    after = {post.item: post for post in rows(db)}
    assert (after["p0"].id, after["p2"].id) == (first[0].id, first[2].id)
    assert after["p1"].draft["text"] == make.texts[8]
    assert len(rows(db, Decision)) == 4


def test_a_change_of_mode_reaches_rows_that_nobody_has_touched(db: Database, make: Any) -> None:
    carry_out(db, make.campaign(make.items(2), mode="approve"), make)
    carry_out(db, make.campaign(make.items(2), mode="auto"), make)
    assert [post.state for post in rows(db)] == [State.PLANNED, State.PLANNED]


def test_what_the_campaign_no_longer_says_is_withdrawn_on_every_account(db: Database, make: Any) -> None:
    carry_out(db, make.campaign(make.items(3), accounts=["sandbox/main", "other/b"]), make)
    assert len(rows(db)) == 6
    carry_out(db, make.campaign(make.items(2)), make)
    assert [(post.account, post.item) for post in rows(db)] == [("sandbox/main", "p0"), ("sandbox/main", "p1")]


def test_a_campaign_that_moves_to_another_account_is_not_held_up_by_its_own_rows(db: Database, make: Any) -> None:
    carry_out(db, make.campaign(make.items(2)), make)
    added = carry_out(db, make.campaign(make.items(2), accounts=["sandbox/new"]), make)
    assert [(post.account, post.item) for post in added] == [("sandbox/new", "p0"), ("sandbox/new", "p1")]
    assert [post.account for post in rows(db)] == ["sandbox/new", "sandbox/new"]


def test_an_approved_post_stays_and_is_not_planned_beside_itself(db: Database, make: Any) -> None:
    campaign = make.campaign(make.items(2), mode="approve")
    first = carry_out(db, campaign, make)
    with db.write() as session:
        outbox.approve(session, first[0].id, make.monday, text="Said better.")
    late = make.taste(lambda candidate: make.hour(candidate) / 10)
    carry_out(db, campaign, make, forecaster=late)
    assert [(post.item, post.state) for post in rows(db)] == [("p0", State.PLANNED), ("p1", State.HELD)]
    assert rows(db)[0].draft["text"] == "Said better."


def test_a_rejected_post_does_not_come_back(db: Database, make: Any) -> None:
    campaign = make.campaign(make.items(1), mode="approve")
    first = carry_out(db, campaign, make)
    with db.write() as session:
        outbox.reject(session, first[0].id, make.monday, "not now")
    assert carry_out(db, campaign, make, make.monday + LATER) == []
    assert [post.state for post in rows(db)] == [State.CANCELLED]


def test_an_old_plan_never_doubles_what_was_touched_meanwhile(db: Database, make: Any) -> None:
    recurring = {"id": "tip", "text": make.texts[9], "recurring": {"every": "7d", "times": 2}}
    campaign = make.campaign([*make.items(2), recurring], mode="approve")
    first = carry_out(db, campaign, make)
    with db.write() as session:
        late = make.taste(lambda candidate: make.hour(candidate) / 10)
        old: Plan = plan(campaign, look(session, campaign, make, forecaster=late))
    assert {post.item for post in old.posts} == {"p0", "p1", "tip"}
    with db.write() as session:
        for row in first:
            if row.item != "p1":
                outbox.approve(session, row.id, make.monday)
    with db.write() as session:
        apply(session, old, campaign, make.monday, "install")
    assert sorted(post.item for post in rows(db)) == ["p0", "p1", "tip"]
    assert len(rows(db, Decision)) == 4


def test_the_key_is_this_posts_on_this_installation(db: Database, make: Any) -> None:
    campaign = make.campaign(make.items(2))
    with db.write() as session:
        made = plan(campaign, look(session, campaign, make))
    keys = []
    for install in ("one", "one", "two"):
        with db.write() as session:
            keys.append([post.key for post in apply(session, made, campaign, make.monday, install)])
            for post in session.exec(select(Post)).all():
                session.delete(post)
    assert keys[0] == keys[1]
    assert len({*keys[0], *keys[2]}) == 4
    assert all(len(key) == 32 for key in keys[0])


def test_a_plan_is_written_whole_or_not_at_all(db: Database, make: Any) -> None:
    campaign = make.campaign(make.items(2))

    def interrupted() -> None:
        with db.write() as session:
            apply(session, plan(campaign, look(session, campaign, make)), campaign, make.monday, "install")
            raise RuntimeError("the machine went down")

    with pytest.raises(RuntimeError):
        interrupted()
    assert (rows(db), rows(db, Decision)) == ([], [])


def test_the_desk_shows_what_stands_and_what_was_given_up(db: Database, make: Any) -> None:
    at = make.monday + timedelta(days=1)
    with db.write() as session:
        outbox.add(
            session,
            [
                make.row("a", at, "2026-11-24T06:30"),
                make.row("b", at + LATER, "2026-11-24T07:30", state=State.HELD),
                make.row("c", at + 2 * LATER, "2026-11-24T08:30", state=State.PLANNED, attempts=1),
                make.row("d", at + 3 * LATER, "2026-11-24T09:30", state=State.CANCELLED, rule="late"),
                make.row("e", at + 4 * LATER, "2026-11-24T10:30", campaign="other"),
                make.row("f", at + 5 * LATER, "2026-11-24T11:30", campaign="other", state=State.CANCELLED),
                make.row("g", at, "x", state=State.PUBLISHED, published_at=at + LATER, ref="1"),
            ],
        )
        found = {each.item: each for each in standing(session, "launch", "sandbox/main")}
    assert set(found) == {"a", "b", "c", "d", "e", "g"}
    assert {item for item, each in found.items() if each.untouched} == {"a", "b", "e"}
    assert {item for item, each in found.items() if each.withdrawable("launch", make.monday)} == {"a", "b"}
    assert {item for item, each in found.items() if each.given_up} == {"d"}
    assert found["g"].at == at + LATER
    assert (found["d"].rule, found["a"].digest) == ("late", outbox.digest_of(to_json(Draft("The post a."))))


def test_the_desk_reads_the_past_as_it_was_known(db: Database, make: Any) -> None:
    campaign = make.campaign(make.items(1))
    with db.write() as session:
        days = [make.monday - timedelta(days=40), make.monday + timedelta(days=1)]
        past = [engagement.HistoryRow(str(n), f"Older {n}", "text", at, likes=9) for n, at in enumerate(days)]
        engagement.record_history(session, "sandbox/main", past, "import:csv", make.monday + timedelta(days=40))
        shown = look(session, campaign, make)
    assert [(post.ref, post.likes) for post in shown.past("sandbox/main")] == [("0", 9)]
