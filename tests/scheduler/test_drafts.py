"""Drafts in the outbox and drafts at the connector are the same drafts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Draft, Media, Ref
from scheduler.drafts import UnreadableDraft, from_json, to_json

words = st.text(max_size=20)
maybe = st.none() | words
drafts = st.builds(
    Draft,
    text=words,
    kind=words,
    title=maybe,
    link=maybe,
    media=st.lists(st.builds(Media, words, words), max_size=3).map(tuple),
    target=maybe,
    language=maybe,
    in_reply_to=st.none() | st.builds(Ref, words, words),
    parts=st.lists(words, max_size=3).map(tuple),
)


@given(drafts)
def test_a_draft_comes_back_from_json_as_it_was(draft: Draft) -> None:
    assert from_json(json.loads(json.dumps(to_json(draft)))) == draft


def test_what_is_empty_is_not_stored() -> None:
    assert to_json(Draft("hello")) == {"text": "hello", "kind": "text"}


@pytest.mark.parametrize(
    ("stored", "words"),
    [({"text": "a", "poll": ["x"]}, "poll"), ({}, "text"), ({"text": "a", "media": [{"file": "b"}]}, "alt")],
)
def test_a_draft_that_cannot_be_read_whole_is_refused(stored: dict[str, object], words: str) -> None:
    with pytest.raises(UnreadableDraft, match=words):
        from_json(stored)
