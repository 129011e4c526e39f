"""Sources give each item once, in order, and say in one line why they cannot."""

from pathlib import Path

import pytest

from bot.campaign.fetch import SourceError
from bot.campaign.schema import Source
from bot.campaign.sources import look


def feed(*titles: str, guid: bool = True, dated: bool = False) -> bytes:
    """An RSS feed, the first title the newest."""
    items = "".join(
        f"<item><title>{title}</title><link>https://b.example/{title}</link>"
        + (f"<guid>g-{title}</guid>" if guid else "")
        + (f"<pubDate>Thu, {20 - place} Nov 2026 09:00:00 GMT</pubDate>" if dated else "")
        + f"<description>&lt;p&gt;About &lt;b&gt;{title}&lt;/b&gt; &amp;amp; more&lt;/p&gt;</description></item>"
        for place, title in enumerate(titles)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>B</title>{items}</channel></rss>'.encode()


def rss(**more: object) -> Source:
    return Source.model_validate({"rss": "https://b.example/f.xml", "text": "{title} {link}", **more})


def texts(source: Source, folder: Path, body: bytes = b"", seen: tuple[str, ...] = ()) -> list[str | None]:
    return [found.item.text for found in look(source, folder, seen, lambda url: body)]


def test_every_new_item_of_a_feed_comes_once_and_the_oldest_first(tmp_path: Path) -> None:
    seen: set[str] = set()
    got: list[list[str | None]] = []
    for body in (feed("b", "a"), feed("b", "a"), feed("d", "c", "b"), feed("a", "d")):
        found = look(rss(), tmp_path, seen, lambda url, body=body: body)  # type: ignore[misc]
        seen |= {item.guid for item in found}
        got.append([item.item.title for item in found])
    assert got == [["a", "b"], [], ["c", "d"], []]


@pytest.mark.parametrize("dated", [True, False])
def test_the_limit_holds_back_the_newer_items_for_the_next_look(tmp_path: Path, dated: bool) -> None:
    body = feed("d", "c", "b", "a", dated=dated)
    assert texts(rss(limit=3), tmp_path, body) == [f"{t} https://b.example/{t}" for t in "abc"]
    assert texts(rss(limit=3), tmp_path, body, ("g-a", "g-b", "g-c")) == ["d https://b.example/d"]


def test_an_item_without_guid_is_known_by_its_link_and_twins_in_one_feed_are_one(tmp_path: Path) -> None:
    found = look(rss(), tmp_path, (), lambda url: feed("a", "a", guid=False))
    assert [item.guid for item in found] == ["https://b.example/a"]


def test_an_item_keeps_its_post_id_whatever_the_feed_adds(tmp_path: Path) -> None:
    first = look(rss(id="blog"), tmp_path, (), lambda url: feed("a"))[0].item.id
    later = look(rss(id="blog"), tmp_path, (), lambda url: feed("b", "a"))[0].item.id
    assert first == later
    assert first.startswith("blog-")


def test_wordings_are_filled_without_tags_and_braces_of_strangers_stay(tmp_path: Path) -> None:
    source = rss(
        text=None,
        variants=[{"text": "{title}: {summary}"}, {"id": "q", "text": "{title}?", "kind": "question"}],
    )
    item = look(source, tmp_path, (), lambda url: feed("{summary}"))[0].item
    assert [variant.text for variant in item.variants] == ["{summary}: About {summary} & more", "{summary}?"]
    assert (item.variants[1].id, item.variants[1].kind) == ("q", "question")


def test_a_link_that_is_no_web_address_is_left_out(tmp_path: Path) -> None:
    body = feed("a").replace(b"https://b.example/a", b"javascript:alert(1)")
    assert texts(rss(), tmp_path, body) == ["a"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the feed is empty"),
        (b" \n", "the feed is empty"),
        (feed(), "has no items"),
        (b"<!doctype html><html><body><p>Hello</p></body></html>", "a web page, not a feed"),
        (b"just words", "neither RSS nor Atom"),
        (b'{"items": []}', "neither RSS nor Atom"),
        (b"\xff\xfe\x00\x01binary", "neither RSS nor Atom"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel><title>B</tit', "the feed is broken"),
    ],
)
def test_what_is_no_feed_is_one_clear_line(tmp_path: Path, body: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        texts(rss(), tmp_path, body)
    assert str(caught.value).startswith("https://b.example/f.xml: ")
    assert "\n" not in str(caught.value)


def test_a_feed_in_another_encoding_is_read_as_it_declares(tmp_path: Path) -> None:
    body = feed("café").decode().replace('"1.0"?', '"1.0" encoding="iso-8859-1"?').encode("latin-1")
    assert look(rss(), tmp_path, (), lambda url: body)[0].item.title == "café"


def test_a_feed_may_be_a_file_and_a_missing_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.xml").write_bytes(feed("a"))
    assert texts(rss(rss="f.xml"), tmp_path) == ["a https://b.example/a"]
    with pytest.raises(SourceError, match=r"none.xml: cannot be read: No such file"):
        texts(rss(rss="none.xml"), tmp_path)


def table(folder: Path, text: str | bytes, **more: object) -> list[str | None]:
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return texts(Source.model_validate({"csv": "t.csv", **more}), folder)


def test_a_row_of_a_table_becomes_a_post_once_and_a_new_row_later(tmp_path: Path) -> None:
    source = Source(csv="t.csv", text="{title} {link}")
    (tmp_path / "t.csv").write_text('title,link\n"One, two",https://a.example\n\nThree,\n')
    first = look(source, tmp_path, ())
    assert [found.item.text for found in first] == ["One, two https://a.example", "Three"]
    (tmp_path / "t.csv").write_text('title,link\nZero,\n"One, two",https://a.example\nThree,\n')
    seen = {found.guid for found in first}
    assert [found.item.text for found in look(source, tmp_path, seen)] == ["Zero"]


def test_a_table_with_a_column_text_needs_no_wording(tmp_path: Path) -> None:
    assert table(tmp_path, "id,text,kind\n1,hello,tip\n2,again,\n") == ["hello", "again"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "t.csv: the table is empty"),
        ("title,lnik\na,b\n", "t.csv:1: unknown column 'lnik', did you mean 'link'?"),
        ("title,link\na\n", "t.csv:2: the row has not as many cells"),
        ("title,link\na,b,c\n", "t.csv:2: the row has not as many cells"),
        ("title\na\n", "t.csv:2: no column `text`"),
        ('text\n"open\n', "t.csv:2: not a CSV table"),
        (b"text\ncaf\xe9\n", "t.csv: not UTF-8 text"),
        ("text,kind\nhello,Not A Kind\n", "t.csv:2: kind: "),
    ],
)
def test_a_broken_table_is_one_clear_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        table(tmp_path, text)
    assert str(caught.value).startswith(words)


def test_markdown_files_become_posts_by_name_with_their_front_matter(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("Second.\n\nMore.\n")
    (tmp_path / "a.md").write_text("---\ntitle: One\nlink: https://a.example\nkind: tip\n---\nFirst.\n")
    (tmp_path / "notes.txt").write_text("not a post")
    found = look(Source(folder="."), tmp_path, ())
    assert [(item.guid, item.item.text, item.item.title, item.item.kind) for item in found] == [
        ("a.md", "First.", "One", "tip"),
        ("b.md", "Second.\n\nMore.", None, None),
    ]
    template = Source(folder=".", text="{title}: {summary}")
    assert texts(template, tmp_path, seen=("b.md",)) == ["One: First."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("---\ntilte: x\n---\nhello\n", "a.md: front matter: unknown key 'tilte', did you mean 'title'?"),
        ("---\n- x\n---\nhello\n", "a.md: front matter: `key: value` lines are needed"),
        ("---\ntitle: a: b\n---\nhello\n", "a.md: front matter: a ': ' inside a plain text"),
    ],
)
def test_broken_front_matter_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.md").write_text(text)
    with pytest.raises(SourceError) as caught:
        look(Source(folder="."), tmp_path, ())
    assert str(caught.value).startswith(words)


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="none: there is no such folder"):
        look(Source(folder="none"), tmp_path, ())
