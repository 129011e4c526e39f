"""Why a post went out as it did, told from the log."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bot.insights.explain import TOP, Explanation, as_data, explain, explain_post, render
from storage import outbox


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
