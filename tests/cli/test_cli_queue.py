"""A person's yes and no: exactly the words they saw or wrote go out, a no lasts, and too late is told."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from storage.models import Inbound, Post, State

YES = ("run", "garden.yaml", "--baseline", "--days", 14)


def first(world: Any) -> Post:
    return min(world.posts(), key=lambda post: post.slot_at)


def test_the_queue_shows_the_exact_words_and_why_they_wait(kairos: Any, held: Any) -> None:
    posts = kairos("queue", "--json").data["posts"]
    assert [post["draft"]["text"] for post in posts] == [
        "Sow your peas now.",
        "Clean the spade.",
        "Water in the morning, not at noon.",
    ]
    assert {post["rule"] for post in posts} == {"S3"}
    shown = kairos("queue").out
    assert "SIMULATED" in shown
    assert "Water in the morning, not at noon." in shown


def test_what_a_person_approved_goes_out_as_it_is(kairos: Any, held: Any) -> None:
    post = first(held)
    ran = kairos("approve", post.id)
    assert (ran.code, ran.out, ran.err) == (0, f"{post.id}: approved\n", "")
    kairos(*YES)
    assert held.public() == [post.draft["text"]]


@pytest.mark.parametrize("text", ["Sow them  NOW — 🌱\nall of them", "{title} {link} ${HOME}", "a" * 500])
def test_a_persons_own_words_go_out_to_the_letter(kairos: Any, held: Any, text: str) -> None:
    assert kairos("approve", first(held).id, "--text", text).code == 0
    kairos(*YES)
    assert held.public() == [text]


def test_words_longer_than_the_platform_takes_are_not_sent_and_say_why(kairos: Any, held: Any) -> None:
    post = first(held)
    kairos("approve", post.id, "--text", "a" * 501)
    kairos(*YES)
    refused = next(row for row in held.posts() if row.id == post.id)
    assert refused.state in (State.HELD, State.CANCELLED)
    assert "501" in str(refused.reason)
    assert "a" * 501 not in held.public()


def test_a_rejected_post_is_never_planned_again(kairos: Any, held: Any) -> None:
    post = first(held)
    ran = kairos("reject", post.id, "--why", "not in winter")
    assert (ran.code, ran.out) == (0, f"{post.id}: rejected\n")
    kairos("approve", "all")
    kairos(*YES)
    (plan,) = kairos("plan", "garden.yaml", "--baseline", "--json").data
    assert plan["posts"] == []
    assert {row["reason"] for row in plan["unplaced"]} == {
        "a person said no to it; change its wordings and it is planned again"
    }
    assert [row.reason for row in held.posts() if row.item == post.item] == ["not in winter"]
    assert post.draft["text"] not in held.public()
    assert len(held.public()) == 2


def test_yes_to_all_is_yes_to_what_waits_now(kairos: Any, held: Any) -> None:
    kairos("reject", first(held).id)
    assert len(kairos("approve", "all", "--json").data["done"]) == 2
    assert kairos("queue", "--json").data["posts"] == []
    assert kairos("approve", "all", "--json").data == {"done": [], "refused": []}


def test_what_is_public_can_neither_be_approved_nor_rejected(kairos: Any, held: Any) -> None:
    post = first(held)
    kairos("approve", post.id)
    kairos(*YES)
    for ran in (kairos("approve", post.id), kairos("reject", post.id), kairos("approve", post.id, "--text", "No.")):
        assert (ran.code, ran.out, ran.line) == (3, "", f"{post.id}: too late, it is published")
    assert held.public() == [post.draft["text"]]


def test_a_no_after_a_yes_holds_as_long_as_nothing_is_sent(kairos: Any, held: Any) -> None:
    post = first(held)
    kairos("approve", post.id)
    assert kairos("reject", post.id).code == 0
    assert kairos("approve", post.id).line == f"{post.id}: too late, it is cancelled"
    kairos(*YES)
    assert post.draft["text"] not in held.public()


def test_of_several_numbers_those_that_can_be_are_settled(kairos: Any, held: Any) -> None:
    post = first(held)
    ran = kairos("approve", 900, post.id, "m900", "--json")
    assert ran.code == 3
    assert ran.data == {
        "done": [f"{post.id}: approved"],
        "refused": ["900: there is no such post", "m900: there is no such mention"],
    }
    assert ran.err.splitlines() == ran.data["refused"]


def test_a_mention_is_answered_once_with_a_persons_words(kairos: Any, heard: Any) -> None:
    mention = kairos("queue", "--json").data["mentions"][0]["id"]
    assert kairos("approve", mention).line == f"{mention} needs your words: --text '...'"
    ran = kairos("approve", mention, "--text", "We will look into it.")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{mention}: answered with your words (post ")
    assert mention not in [row["id"] for row in kairos("queue", "--json").data["mentions"]]
    kairos("run", "garden.yaml", "--baseline", "--days", 1)
    assert heard.public().count("We will look into it.") == 1
    again = kairos("approve", mention, "--text", "Once more.")
    assert (again.code, again.line) == (3, f"{mention}: too late, it is answered")


def test_a_mention_that_is_left_unanswered_is_gone_with_its_words(kairos: Any, heard: Any) -> None:
    mention = kairos("queue", "--json").data["mentions"][0]["id"]
    assert kairos("reject", mention).out == f"{mention}: left unanswered\n"
    assert kairos("reject", mention).line == f"{mention}: too late, it is ignored"
    assert kairos("approve", mention, "--text", "Yes!").code == 3
    with heard.database() as db, db.read() as session:
        row = session.exec(select(Inbound).where(col(Inbound.id) == int(mention[1:]))).one()
    assert (row.outcome, row.text, row.author) == ("ignored", "", "")


def test_strangers_words_cannot_steer_the_terminal(kairos: Any, held: Any) -> None:
    post = first(held)

    def change(session: Any) -> None:
        row = session.get(Post, post.id)
        row.draft = {**row.draft, "text": "\x1b[2J\x1b]0;owned\x07 [bold]hi[/] \u202egnp.exe"}
        session.add(row)

    held.change(change)
    for command in ("queue", "status"):
        shown = kairos(command).out
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[bold]hi[/]" in shown


def test_a_yes_that_comes_after_the_slot_but_within_the_limit_is_in_time(kairos: Any, held: Any) -> None:
    post = first(held)
    held.set_clock(post.slot_at + timedelta(hours=1))
    kairos("approve", post.id)
    kairos("run", "garden.yaml", "--baseline", "--days", 1)
    assert held.public() == [post.draft["text"]]
