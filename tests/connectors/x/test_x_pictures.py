"""Pictures on their way to X: made to fit, handed over in pieces, described, and only then named by a post."""

from pathlib import Path

import pytest
from PIL import Image

from connectors.base import Connector, Draft, Media
from connectors.errors import ConnectorError, Rejected, Unavailable
from connectors.x import pictures
from tests.connectors.x.standin import StandIn


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """A small picture with a place in its EXIF."""
    image = Image.merge("RGB", [Image.effect_noise((90, 60), 80) for _ in "RGB"])
    told = Image.Exif()
    told[0x010E] = "taken at home"
    image.save(tmp_path / "a.jpg", exif=told)
    return str(tmp_path / "a.jpg")


def test_a_picture_goes_up_with_its_description_and_the_post_names_it(
    standin: StandIn, account: Connector, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PIECE", 1000)
    receipt = account.publish(Draft("look", kind="photo", media=(Media(picture, "grey noise"),)), "k")
    ((number, kept),) = standin.pictures.items()
    assert kept["alt"] == "grey noise"
    assert kept["told"]["total_bytes"] == len(kept["bytes"])
    assert kept["told"]["media_type"] == "image/jpeg"
    assert kept["bytes"][:3] == b"\xff\xd8\xff"
    assert b"taken at home" not in kept["bytes"]
    assert standin.posts[receipt.ref.id].media == (number,)
    pieces = standin.requests(f"POST /2/media/upload/{number}/append")
    assert [one.body["segment_index"] for one in pieces] == list(range(len(pieces)))
    assert len(pieces) > 1
    assert len(standin.requests("POST /2/tweets")) == 1
    assert [post.text for post in account.own_posts(None)] == ["look"]
    assert account.find(Draft("look"), receipt.published_at) == receipt


def test_a_thread_shows_its_pictures_at_its_head(standin: StandIn, account: Connector, picture: str) -> None:
    receipt = account.publish(Draft("look", media=(Media(picture, ""), Media(picture, "b")), parts=("more",)), "k")
    assert len(standin.posts[receipt.ref.id].media) == 2
    assert [len(one.media) for one in standin.posts.values()] == [2, 0]
    assert [kept.get("alt") for kept in standin.pictures.values()] == [None, "b"]


@pytest.mark.parametrize("step", ["upload/initialize", r"upload/\d+/append", r"upload/\d+/finalize", "metadata"])
@pytest.mark.parametrize(("fault", "error"), [("500", Unavailable), ("drop", Unavailable), ("403", Rejected)])
def test_a_picture_that_fails_leaves_nothing_public(
    standin: StandIn, account: Connector, picture: str, step: str, fault: str, error: type[ConnectorError]
) -> None:
    route = f"/2/media/{step}"
    standin.fail(fault, on=f"POST {route}")
    with pytest.raises(error) as caught:
        account.publish(Draft("look", media=(Media(picture, "noise"),)), "k")
    assert type(caught.value) is error
    assert standin.posts == {}
    assert standin.requests("POST /2/tweets") == []
    assert len(standin.requests(f"POST {route}")) == 1


def test_what_is_no_picture_is_refused_before_any_request(standin: StandIn, account: Connector, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(Rejected):
        account.publish(Draft("look", media=(Media(str(tmp_path / "a.png"), ""),)), "k")
    assert standin.asked == []


def test_a_long_description_is_cut_where_x_would_refuse_it(standin: StandIn, account: Connector, picture: str) -> None:
    account.publish(Draft("look", media=(Media(picture, "a" * 1200),)), "k")
    assert [len(kept["alt"]) for kept in standin.pictures.values()] == [1000]
