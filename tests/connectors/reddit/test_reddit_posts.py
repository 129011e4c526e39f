"""Posts, answers, counts and communities on Reddit, by the real SDK against the stand-in."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from connectors.base import Draft, Media, Ref
from connectors.errors import AuthExpired, OutcomeUnknown, Rejected
from connectors.reddit import community, connect
from connectors.reddit.account import RedditAccount, form_of
from connectors.reddit.community import Form, Place
from tests.connectors.reddit.standin import StandIn

Publish = Callable[..., Any]


def draft(text: str = "hello world", **more: Any) -> Draft:
    return Draft(text, **({"title": "A title", "target": "r/test"} | more))


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    file = tmp_path / "where i live.jpg"
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    Image.new("RGB", (60, 40), "red").save(file, exif=exif)
    return Media(str(file), "a red square")


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_a_text_has_a_title_a_community_and_words_under_it(
    standin: StandIn, account: RedditAccount, clock: Any
) -> None:
    receipt = account.publish(draft(" hello\n\nworld ", title=" A  title "), "k")
    (form,) = standin.forms
    assert (form["kind"], form["title"], form["sr"], form["text"]) == ("self", "A title", "test", "hello\n\nworld")
    assert form["sendreplies"] == "True"
    assert receipt.ref.id in standin.things
    assert receipt.published_at == clock()
    assert receipt.url == f"https://www.reddit.com/r/test/comments/{receipt.ref.id[3:]}/a_title/"


def test_a_text_that_says_the_title_again_is_left_out(standin: StandIn, account: RedditAccount) -> None:
    account.publish(draft("A title"), "k")
    assert standin.forms[0]["text"] == ""
    (post,) = account.own_posts(None)
    assert post.text == "A title"


def test_a_link_makes_a_link_post_unless_the_text_holds_it(standin: StandIn, account: RedditAccount) -> None:
    link = "https://example.org/a?b=c"
    account.publish(draft(link=link), "k")
    account.publish(draft(f"see {link}", link=link), "k")
    account.publish(draft(f"see {link}", link=link, kind="link"), "k")
    assert [(form["kind"], form.get("url")) for form in standin.forms] == [
        ("link", link),
        ("self", None),
        ("link", link),
    ]
    assert standin.forms[0]["text"] == "hello world"


def test_one_picture_is_an_image_and_several_are_a_gallery(
    standin: StandIn, account: RedditAccount, picture: Media
) -> None:
    one = account.publish(draft(media=(picture,), link="https://example.org"), "k")
    several = account.publish(draft(media=(picture, picture, picture)), "k")
    assert standin.forms[0]["kind"] == "image"
    assert standin.forms[0]["text"] == "hello world\n\nhttps://example.org"
    assert len(standin.forms[1]["items"]) == 3
    assert {one.ref.id, several.ref.id} == set(standin.things)
    assert standin.writes() == 2
    assert len(standin.uploads) == 4
    assert [post.kind for post in account.own_posts(None)] == ["photo", "photo"]


def test_a_picture_loses_its_name_and_what_the_camera_wrote(
    standin: StandIn, account: RedditAccount, picture: Media
) -> None:
    account.publish(draft(media=(picture,)), "k")
    (sent,) = standin.uploads
    assert b"where i live" not in sent
    assert b"a secret place" not in sent
    with Image.open(io.BytesIO(sent.split(b"\r\n\r\n")[-1])) as image:
        assert image.size == (60, 40)
        assert not image.getexif()


def test_a_picture_reddit_cannot_use_is_refused_and_a_silent_socket_is_unknown(
    standin: StandIn, account: RedditAccount, opened: Any, picture: Media
) -> None:
    standin.socket_says = {"type": "failed", "payload": {}}
    with pytest.raises(Rejected):
        account.publish(draft(media=(picture,)), "k")
    for silence in ({"odd": 1}, {"type": "success", "payload": {"redirect": "nowhere"}}):
        standin.socket_says = silence
        with pytest.raises(OutcomeUnknown):
            account.publish(draft(media=(picture,)), "k")
    assert standin.writes() == 3
    assert account.find(draft(media=(picture,)), standin.clock() - timedelta(minutes=5)) is not None


def test_a_file_that_is_no_picture_is_refused_before_anything_is_asked(
    standin: StandIn, account: RedditAccount, tmp_path: Path
) -> None:
    (tmp_path / "no.png").write_text("hello")
    with pytest.raises(Rejected):
        account.publish(draft(media=(Media(str(tmp_path / "no.png"), ""),)), "k")
    assert standin.asked == []


def test_a_poll_has_its_parts_as_options(standin: StandIn, account: RedditAccount) -> None:
    poll = draft("tell us", kind="poll", parts=("Yes", "No"))
    receipt = account.publish(poll, "k")
    assert standin.forms[0]["options"] == ["Yes", "No"]
    assert standin.forms[0]["duration"] == 3
    assert account.find(poll, receipt.published_at) == receipt
    assert account.find(draft("tell us", kind="poll", parts=("Yes", "Never")), receipt.published_at) is None
    (post,) = account.own_posts(None)
    assert (post.kind, post.text) == ("poll", "A title tell us")


def test_an_answer_goes_under_what_it_answers(standin: StandIn, account: RedditAccount) -> None:
    for above in ("t1_abc", "t3_abc"):
        receipt = account.publish(Draft("thank you", in_reply_to=Ref(above), link="https://example.org"), "k")
        assert standin.things[receipt.ref.id]["parent_id"] == above
        assert standin.things[receipt.ref.id]["body"] == "thank you\n\nhttps://example.org"
    assert standin.counted()["/api/comment/"] == 2


@pytest.mark.parametrize(
    "unfit",
    [
        draft(title=None),
        draft(title="  "),
        draft(title="x" * 301),
        draft(target=None),
        draft(target="two words"),
        draft(target="r/../../etc"),
        draft(target="r/x?a=b"),
        draft(" "),
        draft("x" * 40_001),
        draft(parts=("more",)),
        draft(kind="poll", parts=("only",)),
        draft(kind="poll", parts=tuple("1234567")),
        draft(kind="poll", parts=("yes", " ")),
        draft(kind="poll", parts=("yes", "n" * 121)),
        draft(kind="poll", parts=("yes", "no"), media=(Media("x.png", ""),)),
        draft(media=(Media("x.png", ""),) * 21),
        Draft("x" * 10_001, in_reply_to=Ref("t1_abc")),
        Draft(" ", in_reply_to=Ref("t1_abc")),
        Draft("hello", in_reply_to=Ref("t2_abc")),
        Draft("hello", in_reply_to=Ref("t1_abc/../x")),
        Draft("hello", in_reply_to=Ref("t1_abc"), media=(Media("x.png", ""),)),
    ],
)
def test_what_reddit_would_not_take_is_refused_without_a_request(
    standin: StandIn, account: RedditAccount, unfit: Draft
) -> None:
    with pytest.raises(Rejected, match=r"^reddit"):
        account.publish(unfit, "k")
    assert standin.asked == []


# --- communities ----------------------------------------------------------------------------------------------------


def test_a_community_is_asked_for_its_requirements_once_an_hour(
    standin: StandIn, account: RedditAccount, clock: Any
) -> None:
    standin.requirements = {"title_blacklisted_strings": ["forbidden"]}
    for _ in range(2):
        with pytest.raises(Rejected, match="'forbidden' in the title"):
            account.publish(draft(title="A Forbidden word"), "k")
    assert standin.counted()["/api/v1/test/post_requirements"] == 1
    clock.later(minutes=61)
    standin.requirements = {}
    assert account.publish(draft(title="A Forbidden word"), "k")
    assert standin.writes() == 1


def test_a_community_that_tells_no_requirements_is_asked_to_take_the_post(
    standin: StandIn, account: RedditAccount
) -> None:
    for fault in ("404", "403", "redirect"):
        standin.read_faults += [("", True)] if not standin.asked else []
        standin.read_faults.append((fault, False))
        assert account.publish(draft(target=f"test{fault}"), "k")
    assert standin.writes() == 3


def test_flair_is_chosen_by_its_words(standin: StandIn, account: RedditAccount) -> None:
    standin.requirements = {"is_flair_required": True}
    standin.flairs = [
        {"flair_text": "News", "flair_template_id": "id-1"},
        {"flair_text": "Show & Tell", "flair_template_id": "id-2"},
    ]
    with pytest.raises(Rejected, match="wants a flair"):
        account.publish(draft(), "k")
    with pytest.raises(Rejected, match=r"it has: News, Show & Tell"):
        account.publish(draft(target="r/test#Nothing"), "k")
    assert standin.writes() == 0
    receipt = account.publish(draft(target="r/test # show & tell"), "k")
    assert standin.forms[0]["flair_id"] == "id-2"
    assert account.find(draft(target="r/test#show & tell"), receipt.published_at) == receipt


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("test", Place("test")),
        ("r/test", Place("test")),
        ("/r/test/", Place("test")),
        ("u_tester", Place("u_tester")),
        ("u/some-one", Place("u_some-one")),
        ("r/test#A: flair", Place("test", "A: flair")),
    ],
)
def test_a_target_names_a_community_and_maybe_a_flair(target: str, place: Place) -> None:
    assert community.place_of(target) == place


TEXT = Form("A title", "some words")
LINK = Form("A title", "", "https://www.news.example.org/a")


@pytest.mark.parametrize(
    ("rules", "form", "allowed"),
    [
        ({}, TEXT, True),
        ({"title_text_min_length": 8}, TEXT, False),
        ({"title_text_min_length": 7, "title_text_max_length": 7}, TEXT, True),
        ({"title_text_max_length": 6}, TEXT, False),
        ({"title_required_strings": ["[Q]"]}, TEXT, False),
        ({"title_required_strings": ["[Q]", "TITLE"]}, TEXT, True),
        ({"title_regexes": [r"^\[.+\]"]}, TEXT, False),
        ({"title_regexes": [r"^\[.+\]", "^A "]}, TEXT, True),
        ({"title_regexes": ["("]}, TEXT, True),
        ({"title_regexes": ["^(A|AA)+$"]}, Form("A" * 60 + "!", "x"), True),
        ({"body_text_min_length": 11}, TEXT, False),
        ({"body_text_max_length": 9}, TEXT, False),
        ({"body_blacklisted_strings": ["WORDS"]}, TEXT, False),
        ({"body_required_strings": ["source:"]}, TEXT, False),
        ({"body_regexes": ["^x"]}, TEXT, False),
        ({"body_restriction_policy": "notAllowed"}, TEXT, False),
        ({"body_restriction_policy": "required"}, Form("A title", ""), False),
        ({"body_restriction_policy": "required"}, LINK, True),
        ({"body_restriction_policy": "none", "body_text_min_length": None}, TEXT, True),
        ({"link_restriction_policy": "blacklist", "domain_blacklist": ["example.org"]}, LINK, False),
        ({"link_restriction_policy": "blacklist", "domain_blacklist": ["ample.org"]}, LINK, True),
        ({"link_restriction_policy": "whitelist", "domain_whitelist": ["Example.org"]}, LINK, True),
        ({"link_restriction_policy": "whitelist", "domain_whitelist": ["other.org"]}, LINK, False),
        ({"link_restriction_policy": "none", "domain_blacklist": ["example.org"]}, LINK, True),
        ({"gallery_min_items": 3}, Form("t", "", pictures=2), False),
        ({"gallery_max_items": 2}, Form("t", "", pictures=3), False),
        ({"gallery_max_items": 2}, Form("t", "", pictures=2), True),
        ({"is_flair_required": True}, TEXT, False),
    ],
)
def test_a_communitys_requirements_are_kept(rules: dict[str, Any], form: Form, allowed: bool) -> None:
    if allowed:
        community.refuse(rules, form, Place("test"))
    else:
        with pytest.raises(Rejected, match=r"^reddit: r/test "):
            community.refuse(rules, form, Place("test"))


# --- looking --------------------------------------------------------------------------------------------------------


def test_a_look_tells_posts_apart(standin: StandIn, account: RedditAccount, picture: Media) -> None:
    since = standin.clock()
    link = "https://example.org/a"
    drafts = [
        draft(),
        draft("other words"),
        draft(title="Another title"),
        draft(target="r/other"),
        draft(link=link),
        draft(link=f"{link}b"),
        draft(media=(picture,)),
        draft(media=(picture, picture)),
        draft(kind="poll", parts=("yes", "no")),
    ]
    for one in drafts:
        assert account.find(one, since) is None
        receipt = account.publish(one, "k")
        assert account.find(one, since) == receipt
    assert len(standin.things) == len(drafts)


def test_a_look_goes_through_pages_and_finds_the_oldest(standin: StandIn, account: RedditAccount, clock: Any) -> None:
    first = account.publish(draft("the very one"), "k")
    account.publish(draft("the very one"), "k")
    with standin._lock:
        for place in range(230):
            standin._submit("submit", {"title": "t", "sr": "test", "text": f"{place}", "kind": "self"})
    assert account.find(draft("the very one"), first.published_at) == first
    assert len(list(account.own_posts(None))) == 232


def test_what_reddit_changes_in_a_text_does_not_hide_it(standin: StandIn, account: RedditAccount) -> None:
    receipt = account.publish(draft("one\ntwo  three"), "k")
    standin.things[receipt.ref.id]["selftext"] = "one\r\ntwo three\n"
    standin.things[receipt.ref.id]["subreddit"] = "TEST"
    assert account.find(draft("one\ntwo  three"), receipt.published_at) is not None


# --- reading --------------------------------------------------------------------------------------------------------


def test_counts_are_what_reddit_says_and_hidden_ones_are_not_told(standin: StandIn, account: RedditAccount) -> None:
    post, answer = account.publish(draft(), "k"), account.publish(Draft("yes", in_reply_to=Ref("t1_abc")), "k")
    standin.things[post.ref.id] |= {"score": 12, "num_comments": 3, "num_crossposts": 1}
    standin.things[answer.ref.id] |= {"score": -4}
    counts = account.measure([post.ref, answer.ref])
    told = counts[post.ref.id]
    assert (told.likes, told.replies, told.shares, told.clicks, told.impressions) == (12, 3, 1, None, None)
    assert (counts[answer.ref.id].likes, counts[answer.ref.id].replies) == (0, None)
    standin.things[post.ref.id] |= {"hide_score": True}
    assert account.measure([post.ref])[post.ref.id].likes is None


def test_many_posts_are_counted_a_hundred_at_once(standin: StandIn, account: RedditAccount) -> None:
    with standin._lock:
        for place in range(150):
            standin._submit("submit", {"title": "t", "sr": "test", "text": f"{place}", "kind": "self"})
    assert len(account.measure([Ref(name) for name in standin.things])) == 150
    assert standin.counted()["/api/info/"] == 2


def test_what_is_said_to_us_is_heard_once_with_how_it_addresses_us(
    standin: StandIn, account: RedditAccount, clock: Any
) -> None:
    standin.say("hi u/tester", "mentions", "t3_xyz")
    clock.later(minutes=1)
    standin.say("I disagree", "comments", "t1_ours")
    clock.later(minutes=1)
    standin.say("nice", "selfreply", "t3_ours", who="AutoModerator")
    page = account.mentions(None)
    assert [(one.address, one.text, one.author) for one in page.mentions] == [
        ("mention", "hi u/tester", "u/someone"),
        ("reply", "I disagree", "u/someone"),
        ("comment", "nice", "u/AutoModerator"),
    ]
    assert [one.author_is_bot for one in page.mentions] == [False, False, True]
    assert page.mentions[1].in_reply_to == Ref("t1_ours")
    assert page.mentions[0].thread == Ref("t3_abc")
    assert page.mentions[0].author_id == "t2_someone"
    assert account.mentions(page.cursor) == type(page)((), page.cursor)
    assert {path for _, path in standin.asked if path.startswith("/message")} == {
        "/message/selfreply/",
        "/message/comments/",
        "/message/mentions",
    }


def test_a_comment_that_comes_in_late_is_heard_all_the_same(
    standin: StandIn, account: RedditAccount, clock: Any
) -> None:
    standin.say("one")
    cursor = account.mentions(None).cursor
    standin.say("late", created_utc=float(clock().timestamp() - 300))
    page = account.mentions(cursor)
    assert [one.text for one in page.mentions] == ["late"]
    assert account.mentions(page.cursor).mentions == ()


def test_a_comment_whose_author_is_gone_is_passed_over(standin: StandIn, account: RedditAccount) -> None:
    standin.say("hello", who="[deleted]")
    page = account.mentions(None)
    assert page.mentions == ()
    assert page.cursor is not None
    assert account.mentions(page.cursor).cursor == page.cursor


@pytest.mark.parametrize(
    "cursor", ["", "{}", "[]", '{"at": "x", "seen": []}', '{"at": 1e99, "seen": []}', '{"at":1,"seen":3}']
)
def test_a_cursor_of_others_is_refused(account: RedditAccount, cursor: str) -> None:
    with pytest.raises(Rejected):
        account.mentions(cursor)


def test_a_suspended_account_needs_its_owner(
    standin: StandIn, account: RedditAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = standin.answer
    monkeypatch.setattr(
        standin,
        "answer",
        lambda *asked: (
            (200, {"id": "x", "name": "tester", "is_suspended": True}) if "me" in asked[1] else answer(*asked)
        ),
    )
    with pytest.raises(AuthExpired, match="suspended"):
        account.check()


def test_without_credentials_it_says_how_to_connect(around: Any, secrets: dict[str, str]) -> None:
    assert connect("main", around)
    for name in list(secrets):
        kept = secrets.pop(name)
        with pytest.raises(AuthExpired, match=r"^reddit/main is not connected: kairos accounts add reddit/main$"):
            connect("main", around)
        secrets[name] = kept


@settings(deadline=None)
@given(st.text(), st.text(), st.none() | st.text())
def test_any_draft_has_a_form_or_is_refused(title: str, text: str, link: str | None) -> None:
    try:
        form = form_of(draft(text, title=title, link=link))
    except Rejected:
        return
    assert 0 < len(form.title) <= 300
    assert link is None or not link or link == form.link or link in form.body
    assert json.dumps(form.body)
