"""A rehearsal goes as far as it may, each post goes out once, and what a file says holds to the last moment."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.app import open_dry
from bot.campaign.loading import load_campaign
from bot.running import only_one, rehearse
from bot.settings import Settings
from storage import decisions
from storage.models import Decision, Post, State

TEXTS = ["Sow your peas now.", "Clean the spade.", "Water in the morning, not at noon."]

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def waiting_post(slot: datetime) -> Post:
    return Post(
        account="sandbox/main",
        campaign="garden",
        item="seeds",
        local_slot=f"{slot:%Y-%m-%dT%H:%M}",
        slot_at=slot,
        not_before=slot,
        draft={"text": "Sow your peas now.", "kind": "text"},
        digest="",
        key="seeds",
        state=State.HELD,
        created_at=MONDAY,
        updated_at=MONDAY,
    )


def refusals(world: Any) -> list[tuple[str, str]]:
    with world.database() as db, db.read() as session:
        return [(row.rule, row.words) for row in decisions.refusals(session, datetime(2000, 1, 1, tzinfo=UTC))]


def measured_days(home: Path, kairos: Any, *, first: int, days: int, good: int) -> None:
    """Import three posts on each of these past days, of which those at the hour `good` (UTC) did far better."""
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = ["platform,account,post_id,created_at,text,likes"]
    for day in range(first, first + days):
        for hour in (8, 12, 18):
            at = (today - timedelta(days=day)).replace(hour=hour)
            rows.append(f"sandbox,main,{day}-{hour},{at.isoformat()},Post {day} {hour},{200 if hour == good else 2}")
    (home / "posts.csv").write_text("\n".join(rows), encoding="utf-8")
    assert kairos("import", "posts.csv").code == 0


def test_a_rehearsal_publishes_every_post_once_in_the_order_of_the_file(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign()
    outcome = kairos("run", "garden.yaml", "--baseline", "--days", 14, "--json").data
    assert dry.public() == TEXTS
    assert outcome["simulated"] is True
    assert outcome["outbox"] == {"published": 3}
    assert outcome["events"]["post.published"] == 3
    assert outcome["waits_for"] is outcome["stopped"] is None
    assert datetime.fromisoformat(outcome["to"]) - datetime.fromisoformat(outcome["from"]) == timedelta(days=14)


def test_every_published_post_has_its_decision(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign()
    kairos("run", "garden.yaml", "--baseline", "--days", 14)
    with dry.database() as db, db.read() as session:
        logged = {decision.id: decision for decision in session.exec(select(Decision))}
    for post in dry.posts():
        decision = logged[post.decision_id]
        chosen = decision.candidates[decision.chosen]
        assert (decision.item, chosen["text"], chosen["slot"]) == (post.item, post.draft["text"], post.local_slot)
    explained = kairos("explain", dry.posts()[0].id, "--json").data
    assert sum(option["chosen"] for option in explained["options"]) == 1


def test_a_rehearsal_stands_at_the_first_post_that_waits_and_goes_on_after_a_yes(kairos: Any, held: Any) -> None:
    first, *_ = sorted(held.posts(), key=lambda post: post.slot_at)
    again = kairos("run", "garden.yaml", "--baseline", "--json")
    assert again.data["waits_for"] == first.id
    assert datetime.fromisoformat(again.data["to"]) == first.slot_at
    assert f"post {first.id} waits for you" in again.line
    assert held.public() == []
    kairos("approve", first.id)
    second = kairos("run", "garden.yaml", "--baseline", "--json").data["waits_for"]
    assert held.public() == [first.draft["text"]]
    assert second not in (first.id, None)
    assert kairos("approve", "all").code == 0
    assert kairos("run", "garden.yaml", "--baseline", "--json").data["waits_for"] is None
    assert held.public() == TEXTS


def test_a_post_that_begins_to_wait_on_the_way_is_waited_for_as_well(home: Path, campaign: Any, dry: Any) -> None:
    world = open_dry(Settings(home / ".kairos"), MONDAY)
    world.enlist([load_campaign(campaign("approve"), {})])

    class SecondThought:
        """Plans nothing until the third day, then a post for that noon."""

        rounds = 0

        def carry_out(self) -> None:
            self.rounds += 1
            if self.rounds == 3:
                dry.change(lambda session: session.add(waiting_post(NOON)))

    lapse = rehearse(world, SecondThought(), MONDAY + timedelta(days=7))  # type: ignore[arg-type]
    world.close()
    assert (lapse.waiting, lapse.reached) == (1, NOON)


def test_as_if_a_person_said_yes_to_everything(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign("approve")
    outcome = kairos("run", "garden.yaml", "--baseline", "--days", 14, "--approve-all", "--json").data
    assert outcome["waits_for"] is None
    assert dry.public() == TEXTS


def test_a_campaign_in_draft_only_plans(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign("draft")
    assert len(kairos("plan", "garden.yaml", "--baseline", "--json").data[0]["posts"]) == 3
    assert kairos("run", "garden.yaml", "--baseline", "--json").data["outbox"] == {}
    assert dry.public() == []


def test_a_rehearsal_begins_where_the_last_one_came_to(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign()
    first = kairos("run", "garden.yaml", "--baseline", "--days", 2, "--json").data
    second = kairos("run", "garden.yaml", "--baseline", "--days", 2, "--json").data
    assert second["from"] == first["to"]
    fresh = kairos("run", "garden.yaml", "--baseline", "--days", 1, "--fresh", "--json").data
    assert fresh["from"] < first["to"]


def test_a_fresh_rehearsal_forgets_former_ones_and_nothing_else(home: Path, kairos: Any, held: Any) -> None:
    kairos("approve", "all")
    kairos("run", "garden.yaml", "--baseline")
    (home / ".kairos" / "plans").mkdir()
    kairos("run", "garden.yaml", "--baseline", "--fresh")
    assert set(held.states().values()) == {"held"}
    assert held.public() == []
    assert {path.name for path in (home / ".kairos").iterdir()} >= {"plans", "kairos.db", "dry"}
    assert not list((home / ".kairos").glob("forgotten-*"))


def test_two_runs_at_once_are_one_too_many(home: Path, kairos: Any, held: Any) -> None:
    with only_one(home / ".kairos" / "dry"):
        ran = kairos("run", "garden.yaml", "--baseline")
        assert (ran.code, ran.out) == (3, "")
        assert ran.line.startswith("another kairos run is at work here (process ")
        assert kairos("run", "garden.yaml", "--baseline", "--fresh").code == 3
    assert kairos("run", "garden.yaml", "--baseline").code == 0


def test_a_plan_file_is_carried_out_to_the_letter_whatever_is_learnt_meanwhile(
    home: Path, kairos: Any, campaign: Any, dry: Any
) -> None:
    campaign()
    (plan,) = kairos("plan", "garden.yaml", "--baseline", "--json").data
    assert dry.posts() == []
    measured_days(home, kairos, first=20, days=60, good=8)
    ran = kairos("run", "garden.yaml", "--baseline", "--plan", plan["file"])
    assert ran.code == 0, ran.err
    planned = [(post["item"], post["local"], post["draft"]["text"]) for post in plan["posts"]]
    assert [(post.item, post.local_slot, post.draft["text"]) for post in dry.posts()] == planned
    assert dry.public() == TEXTS


def test_a_plan_that_no_longer_fits_is_refused(kairos: Any, campaign: Any, dry: Any) -> None:
    file = campaign()
    (plan,) = kairos("plan", "garden.yaml", "--baseline", "--json").data
    file.write_text(file.read_text().replace("Clean the spade", "Clean the fork"), encoding="utf-8")
    ran = kairos("run", "garden.yaml", "--baseline", "--plan", plan["file"])
    assert (ran.code, ran.out) == (3, "")
    assert ran.line.endswith("does not fit any more: the file of garden was changed since; plan again")
    campaign()
    dry.set_clock(datetime.now(UTC) + timedelta(days=30))
    ran = kairos("run", "garden.yaml", "--baseline", "--plan", plan["file"])
    assert ran.code == 3
    assert "3 of 3 slots are past" in ran.line
    assert dry.posts() == []


@pytest.mark.parametrize(
    "tamper",
    [
        lambda plan: plan["plan"]["posts"][0]["draft"].update(text="Buy my peas."),
        lambda plan: plan.update(kairos_plan=99),
        lambda plan: plan.pop("sha256"),
    ],
)
def test_a_plan_that_was_changed_by_hand_is_not_carried_out(kairos: Any, campaign: Any, dry: Any, tamper: Any) -> None:
    campaign()
    file = Path(kairos("plan", "garden.yaml", "--baseline", "--json").data[0]["file"])
    plan = json.loads(file.read_text(encoding="utf-8"))
    tamper(plan)
    file.write_text(json.dumps(plan), encoding="utf-8")
    ran = kairos("run", "garden.yaml", "--baseline", "--plan", file)
    assert (ran.code, ran.out) == (2, "")
    assert str(file) in ran.line
    assert dry.public() == []


def test_a_post_missed_by_more_than_the_limit_is_dropped_with_words(kairos: Any, held: Any) -> None:
    kairos("approve", "all")
    held.set_clock(max(post.slot_at for post in held.posts()) + timedelta(hours=6, minutes=1))
    outcome = kairos("run", "garden.yaml", "--baseline", "--days", 1, "--json").data
    assert outcome["refused_by_rule"] == {"late": 3}
    assert {words.partition("UTC, ")[2] for _, words in refusals(held)} == {
        "more than `late_limit` ago: dropped, not sent late"
    }
    assert [post.state for post in held.posts()][:3] == [State.CANCELLED] * 3
    assert held.public() == []


def test_a_post_missed_by_less_goes_out_late(kairos: Any, held: Any) -> None:
    first, *_ = sorted(held.posts(), key=lambda post: post.slot_at)
    kairos("approve", first.id)
    held.set_clock(first.slot_at + timedelta(hours=5, minutes=59))
    kairos("run", "garden.yaml", "--baseline", "--days", 1)
    assert held.public() == [first.draft["text"]]


def test_the_gate_asks_every_rule_of_the_file_as_it_is_now(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign("approve", "hashtags: [peas]\n", seeds="Sow them now. #peas")
    kairos("run", "garden.yaml", "--baseline")
    assert kairos("approve", "all").code == 0
    campaign("approve", "hashtags: [beans]\n", seeds="Sow them now.")  # what was approved has the other hashtag
    kairos("run", "garden.yaml", "--baseline")
    refused, planned_anew = dry.posts()
    assert (refused.state, refused.reason) == (State.CANCELLED, "#peas is not in the campaign's `hashtags`")
    assert (planned_anew.state, planned_anew.draft["text"]) == (State.HELD, "Sow them now.")
    assert dry.public() == []


def test_a_post_of_a_campaign_that_is_not_part_of_the_run_waits(kairos: Any, campaign: Any, held: Any) -> None:
    kairos("approve", "all")
    shed = campaign(name="shed.yaml", nails="Sort the nails.")
    shed.write_text(shed.read_text().replace("name: garden", "name: shed"), encoding="utf-8")
    kairos("run", "shed.yaml", "--baseline", "--days", 1)
    assert set(TEXTS).isdisjoint(held.public())
    assert ("file", "campaign 'garden' is not part of this run; start it with its file") in refusals(held)


def test_new_measurements_change_the_next_plan(home: Path, kairos: Any, campaign: Any, dry: Any) -> None:
    """A page whose posts do well in the evening is planned for the evening, until its mornings do better."""
    campaign(seeds="Sow your peas now.")

    def hour_planned() -> int:
        (plan,) = kairos("plan", "garden.yaml", "--baseline", "--json").data
        return datetime.fromisoformat(plan["posts"][0]["slot"]).hour

    measured_days(home, kairos, first=200, days=40, good=18)
    assert hour_planned() in (17, 18, 19)
    measured_days(home, kairos, first=20, days=150, good=8)
    assert hour_planned() in (7, 8, 9)


def test_a_source_that_cannot_be_read_is_told_once_and_the_rest_goes_out(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign("auto", 'sources: [{id: news, rss: "http://127.0.0.1:9/feed", text: "{title}"}]\n')
    ran = kairos("run", "garden.yaml", "--baseline", "--days", 14, "--json")
    assert ran.code == 0
    assert ran.line.startswith("source left out: ")
    assert "127.0.0.1" in ran.line
    assert dry.public() == TEXTS


def test_what_was_rehearsed_never_reaches_the_live_world(kairos: Any, campaign: Any, dry: Any) -> None:
    campaign()
    kairos("run", "garden.yaml", "--baseline", "--days", 14)
    standing = kairos("status", "--json").data
    assert standing["rehearsal"]["outbox"] == {"published": 3}
    assert standing["live"]["outbox"] == {}
    assert standing["live"]["accounts"] == []
    assert kairos("queue", "--live", "--json").data == {"posts": [], "mentions": []}


def test_a_rehearsal_reads_the_true_history_and_adds_nothing_to_it(home: Path, kairos: Any, campaign: Any) -> None:
    campaign()
    at = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    rows = f"platform,account,post_id,created_at,text,likes\nsandbox,main,p1,{at},Old,3\n"
    (home / "posts.csv").write_text(rows, encoding="utf-8")
    kairos("import", "posts.csv")
    kairos("run", "garden.yaml", "--baseline", "--days", 14)
    standing = kairos("status", "--json").data
    assert standing["live"]["accounts"][0]["posts"] == 1
    assert standing["rehearsal"]["accounts"][0]["posts"] == 4
