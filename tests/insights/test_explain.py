"""Why a post went out as it did, told from the log."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bot.abilities import Abilities
from bot.attention import load
from bot.attention.baselines import AccountMean
from bot.attention.belief import Believed, as_decided
from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost
from bot.attention.influence import influences
from bot.campaign.schema import Campaign
from bot.insights.explain import TOP, Explanation, as_data, explain, explain_post
from bot.insights.explained import render
from bot.planner.apply import apply
from bot.planner.desk import desk
from bot.planner.past import past_posts
from bot.planner.plan import plan
from connectors.base import Capabilities
from storage import engagement, outbox
from storage.history import history


def shown(explanation: Explanation) -> str:
    """What a terminal of 120 columns gets."""
    out = StringIO()
    Console(width=120, file=out).print(render(explanation))
    return out.getvalue()


def test_a_decision_is_told_with_what_it_was_chosen_from(stage: Any) -> None:
    made = stage.decided("Hello there")
    found = explain(stage.session, made.id)
    assert (found.chosen.text, found.chosen.slot, found.chosen.mean) == ("Hello there", "2026-11-24T09:00", 20.0)
    assert (found.chosen.low, found.chosen.high) == (10.0, 40.0)
    assert [option.slot[-5:] for option in found.options] == ["09:00", "12:00", "18:00"]
    assert [option.chosen for option in found.options] == [True, False, False]
    assert found.reason == made.reason
    assert found.outcome is None


def test_a_post_leads_to_its_decision_and_its_outcome(stage: Any) -> None:
    post = stage.published("Hello there", likes=17)
    found = explain_post(stage.session, post.id)
    assert found == explain(stage.session, post.decision_id)
    assert found.outcome == {"likes": 17}
    assert found.outcome_age_s == timedelta(days=2).total_seconds()
    assert (found.state, found.zone) == ("published", "Europe/Berlin")
    assert found.published_at == post.published_at


def test_a_published_post_without_counts_is_not_measured_instead_of_a_failure(stage: Any) -> None:
    found = explain_post(stage.session, stage.published("Hello there").id)
    assert found.outcome is None
    assert "not measured yet" in shown(found)


def test_past_posts_are_told_with_their_counts_and_weights_in_the_order_of_attention(stage: Any) -> None:
    ids = stage.past({"An older post": 12, "Another": 3})
    attended = [
        {"history_id": ids[1], "weight": 0.3},
        {"history_id": ids[0], "weight": 0.1},
        {"history_id": 999, "weight": 0.1},
    ]
    found = explain(stage.session, stage.decided("Hello", attended=attended).id)
    assert [(past.text, past.counts, past.weight) for past in found.attended] == [
        ("Another", {"likes": 3}, 0.3),
        ("An older post", {"likes": 12}, 0.1),
    ]


def test_refused_options_are_counted_by_rule_with_the_first_words(stage: Any) -> None:
    removed = [
        {"variant": "1", "slot": "a", "rule": "P9", "reason": "612 characters"},
        {"variant": "1", "slot": "b", "rule": "P2", "reason": "too near"},
        {"variant": "2", "slot": "a", "rule": "P9", "reason": "700 characters"},
    ]
    found = explain(stage.session, stage.decided("Hello", removed=removed).id)
    assert [(each.rule, each.count, each.reason) for each in found.removed] == [
        ("P9", 2, "612 characters"),
        ("P2", 1, "too near"),
    ]


def test_a_held_out_choice_is_shown_wherever_it_stood(stage: Any) -> None:
    candidates = [
        {"variant": "1", "text": f"option {place}", "kind": "text", "slot": "s", "score": -place, "propensity": 0.01}
        for place in range(50)
    ]
    made = stage.decided("x", candidates=candidates, chosen=40, holdout=True, propensity=0.01)
    found = explain(stage.session, made.id)
    assert [option.text for option in found.options] == [*(f"option {place}" for place in range(TOP)), "option 40"]
    assert found.options_n == 50
    assert "held out, with probability 0.01 of 50 options" in shown(found)
    assert "Best 5 of 50 options, and the one drawn" in shown(found)


def test_a_decision_whose_post_was_withdrawn_says_so(stage: Any) -> None:
    found = explain(stage.session, stage.decided("Hello").id)
    assert found.state is None
    assert "a later plan withdrew it" in shown(found)


def test_a_post_that_stopped_says_where_and_why(stage: Any) -> None:
    post = stage.planned("Hello", stage.decided("Hello"))
    outbox.cancel(stage.session, post.id, reason="everything was stopped", now=post.created_at)
    assert "cancelled: everything was stopped" in shown(explain_post(stage.session, post.id))


def test_no_such_decision_is_one_clear_line(stage: Any) -> None:
    with pytest.raises(LookupError, match=r"^'?there is no decision 41: "):
        explain(stage.session, 41)


def test_no_such_post_and_a_post_without_a_choice_are_told_apart(stage: Any) -> None:
    with pytest.raises(LookupError, match="there is no post 41"):
        explain_post(stage.session, 41)
    reply = stage.planned("Thanks!", kind="reply")
    with pytest.raises(LookupError, match="is a reply nothing was weighed for"):
        explain_post(stage.session, reply.id)


def test_what_is_rendered_holds_all_that_a_person_asks_for(stage: Any) -> None:
    ids = stage.past({"An older post": 12})
    made = stage.decided(
        "Hello there",
        attended=[{"history_id": ids[0], "weight": 0.42}],
        removed=[{"variant": "1", "slot": "a", "rule": "P9", "reason": "612 characters"}],
    )
    page = shown(explain(stage.session, made.id))
    for words in (
        "Hello there",
        "20 (10 to 40)",
        "best of 3",
        "attention 1",
        "P9",
        "612 characters",
        "42%",
        "12 likes",
    ):
        assert words in page


def test_a_text_cannot_steer_the_terminal_or_speak_the_markup_of_the_page(stage: Any) -> None:
    page = shown(explain(stage.session, stage.decided("a\x1b[2Jb [red]c[/red] \u202ed").id))
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "[red]c[/red]" in page


def test_plain_values_for_machines(stage: Any) -> None:
    data = as_data(explain(stage.session, stage.decided("Hello").id))
    assert data["chosen"]["text"] == "Hello"
    assert data["options"][1]["slot"] == "2026-11-24T12:00"


class Means:
    """Expects as many as the account's mean, of replies a tenth; keeps what it read."""

    name, version = "means", "1"

    def __init__(self) -> None:
        self.read: list[list[str]] = []

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        self.read.append([post.text for post in history])
        return AccountMean().predict(history, candidates, action)


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEXTS = {f"post {number}": 10 + 20 * (number % 5) for number in range(12)}


@pytest.fixture
def means() -> Means:
    return Means()


@pytest.fixture
def made(stage: Any) -> Any:
    """A published post that was decided by `Means`, which looked at the account's best and worst post."""
    ids = stage.past(TEXTS)
    rows = past_posts(stage.account, history(stage.session, stage.account))
    (forecast,) = AccountMean().predict(rows, [Candidate("sandbox", "Hello", "text", rows[-1].at)])
    typical = forecast.to_count(forecast.mean)
    option = {"variant": "1", "text": "Hello", "kind": "text", "slot": "s", "score": typical, "propensity": 1.0}
    return stage.published(
        "Hello",
        at=NOON + timedelta(days=1),
        model="means 1",
        weights={"likes": 1.0},
        candidates=[{**option, "mean": typical, "low": 1.0, "high": 99.0}],
        attended=[{"history_id": ids[4], "weight": 0.3}, {"history_id": ids[0], "weight": 0.1}],
    )


def named(*forecasters: Forecaster) -> Callable[[str], Forecaster | None]:
    return lambda model: as_decided(model, forecasters)


def test_each_past_post_is_told_with_what_the_forecast_would_be_without_it(stage: Any, made: Any, means: Means) -> None:
    told = explain_post(stage.session, made.id, named(means))
    rows = past_posts(stage.account, history(stage.session, stage.account, until=NOON))
    candidate = Candidate("sandbox", "Hello", "text", made.slot_at)
    expected = influences(AccountMean(), rows, candidate, [4, 0])
    assert [past.text for past in told.attended] == ["post 4", "post 0"]
    assert [past.z_without for past in told.attended] == pytest.approx([one.z for one in expected])
    assert [past.factor_without for past in told.attended] == pytest.approx([one.factor for one in expected])
    assert expected[0].factor < 1 < expected[1].factor
    page = shown(told)
    assert f"{1 - expected[0].factor:.0%} lower" in page
    assert f"{expected[1].factor - 1:.0%} higher" in page
    assert told.influence_on == "likes"
    assert told.influence_words in " ".join(page.split())
    assert told.influence_words.endswith("on the history this was decided with")
    assert as_data(told)["attended"][0]["factor_without"] == pytest.approx(expected[0].factor)


def test_it_is_read_as_it_stood_whatever_was_measured_or_sent_since(stage: Any, made: Any, means: Means) -> None:
    before = explain_post(stage.session, made.id, named(means))
    later = made.created_at + timedelta(days=3)
    stage.published("Sent later", 5000, at=later)
    for row in history(stage.session, stage.account)[:3]:
        age = later - row.created_at
        engagement.add_snapshot(stage.session, row.history_id, age, age, later, likes=9000)
    means.read.clear()
    after = explain_post(stage.session, made.id, named(means))
    assert after.influence_words == before.influence_words
    assert [past.z_without for past in after.attended] == [past.z_without for past in before.attended]
    assert not any("Sent later" in read for read in means.read)


def test_a_history_that_has_grown_backwards_since_is_told(stage: Any, made: Any, means: Means) -> None:
    row = engagement.HistoryRow("old", "An old one", "text", made.created_at - timedelta(days=90), likes=4000)
    engagement.import_rows(stage.session, stage.account, [row], "import:test", made.created_at + timedelta(days=9))
    told = explain_post(stage.session, made.id, named(means))
    assert told.influence_words.endswith("on the history as it is known today: it has changed since this was decided")
    assert told.attended[0].factor_without is not None


def test_only_what_was_looked_at_is_read_without(stage: Any, made: Any, means: Means) -> None:
    explain_post(stage.session, made.id, named(means))
    whole = list(TEXTS)
    assert [sorted(set(whole) - set(read)) for read in means.read if len(read) < len(whole)] == [["post 4"], ["post 0"]]


def test_a_forecaster_that_is_gone_is_told_and_nothing_is_made_up(stage: Any, made: Any, means: Means) -> None:
    means.version = "2"
    told = explain_post(stage.session, made.id, named(means))
    assert "means 1, which decided, is not here" in told.influence_words
    assert [past.factor_without for past in told.attended] == [None, None]
    assert "without it" not in shown(told)
    assert explain_post(stage.session, made.id).influence_words == ""


def test_where_nothing_was_looked_at_nothing_is_read(stage: Any, means: Means) -> None:
    post = stage.published("Hello", model="means 1")
    assert explain_post(stage.session, post.id, named(means)).influence_words == ""
    assert means.read == []


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_what_the_planner_decided_comes_out_again_when_it_is_explained(stage: Any, share: float) -> None:
    """The planner, the log and the explanation with the shipped model: the forecast made again is the one logged."""
    stage.past(
        {f"{'Cats asleep' if number % 2 else 'News of the budget'} {number}": 9 * number for number in range(50)}
    )
    model = load()
    decides = model if share == 1 else Believed(model, share)
    campaign = Campaign.model_validate(
        {
            "version": 1,
            "name": "launch",
            "objective": {"like": 1},
            "accounts": [stage.account],
            "timezone": "Europe/Berlin",
            "mode": "auto",
            "when": {"posts_per_week": 7, "holdout": 0},
            "posts": [{"id": "a", "text": "Cats, all of them asleep"}],
        }
    )
    seen = plan(
        campaign,
        desk(
            stage.session,
            campaign,
            now=NOON,
            until=NOON + timedelta(days=7),
            forecaster=lambda account: decides,
            abilities=lambda account: Abilities(Capabilities(simulated=True), 500, len),
            seed=1,
        ),
    )
    (post,) = apply(stage.session, seen, campaign, NOON, "here")
    told = explain_post(stage.session, post.id, named(model))
    assert told.model == f"{decides.name} {decides.version}"
    assert told.influence_words.endswith("on the history this was decided with")
    assert len(told.attended) == 8
    assert all(past.factor_without is not None and past.factor_without > 0 for past in told.attended)
