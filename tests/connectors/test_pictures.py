"""Pictures made fit for a platform: within its limits, without a trace of the camera, and bombs stay folded."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

from connectors.errors import Rejected
from connectors.pictures import MOST_PIXELS, fit

ALL = ("image/jpeg", "image/png", "image/gif", "image/webp")
PLENTY = 50_000_000


def photo(width: int, height: int) -> Image.Image:
    """Noise on a slope: as hard to compress as a photograph."""
    noise = np.random.default_rng(1).integers(0, 60, (height, width, 3))
    slope = np.linspace(0, 190, width)[None, :, None]
    return Image.fromarray((noise + slope).astype(np.uint8))


def drawing(width: int, height: int, mode: str = "RGB") -> Image.Image:
    canvas = Image.new(mode, (width, height), "white" if mode == "RGB" else (0, 0, 0, 0))
    ImageDraw.Draw(canvas).rectangle((width // 4, height // 4, width // 2, height // 2), fill="red")
    return canvas


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    """Saves a picture; gives back its file."""

    def save(picture: Image.Image, name: str, **options: Any) -> str:
        picture.save(tmp_path / name, **options)
        return str(tmp_path / name)

    return save


def test_a_photograph_becomes_a_jpeg_and_a_drawing_stays_sharp(saved: Any) -> None:
    assert fit(saved(photo(300, 200), "p.jpg"), PLENTY, PLENTY, ALL)[1] == "image/jpeg"
    content, kind = fit(saved(drawing(300, 200), "d.png"), PLENTY, PLENTY, ALL)
    assert kind == "image/png"
    assert opened(content).convert("RGB").getpixel((100, 80)) == (255, 0, 0)


def test_nothing_of_the_camera_is_left(saved: Any) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of a person"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = saved(photo(300, 200), "p.jpg", exif=exif, comment=b"my secret place", icc_profile=profile)
    content, _ = fit(file, PLENTY, PLENTY, ALL)
    assert b"person" not in content
    assert b"secret" not in content
    assert b"Exif" not in content
    assert not set(opened(content).info) & {"exif", "comment", "icc_profile", "xmp"}
    assert not opened(content).getexif()


def test_text_in_a_png_is_left_out_too(saved: Any) -> None:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", "a person")
    content, kind = fit(saved(drawing(100, 100), "d.png", pnginfo=notes), PLENTY, PLENTY, ALL)
    assert kind == "image/png"
    assert b"a person" not in content


def test_a_picture_that_lies_on_its_side_is_set_upright(saved: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content, _ = fit(saved(photo(300, 200), "p.jpg", exif=exif), PLENTY, PLENTY, ALL)
    assert opened(content).size == (200, 300)


@pytest.mark.parametrize("most_bytes", [200_000, 60_000, 9_000])
def test_it_fits_into_the_bytes(saved: Any, most_bytes: int) -> None:
    content, kind = fit(saved(photo(1200, 800), "p.png"), most_bytes, PLENTY, ALL)
    assert len(content) <= most_bytes
    assert kind == "image/jpeg"
    opened(content).load()


def test_it_fits_into_the_pixels_and_keeps_its_shape(saved: Any) -> None:
    content, _ = fit(saved(photo(1200, 600), "p.jpg"), PLENTY, 20_000, ALL)
    width, height = opened(content).size
    assert width * height <= 20_000
    assert width / height == pytest.approx(2, rel=0.02)


def test_what_shines_through_stays_so_where_it_can(saved: Any) -> None:
    file = saved(drawing(300, 200, "RGBA"), "d.png")
    content, kind = fit(file, PLENTY, PLENTY, ALL)
    assert kind == "image/png"
    assert opened(content).convert("RGBA").getpixel((0, 0))[3] == 0
    content, kind = fit(file, PLENTY, PLENTY, ("image/jpeg",))
    assert kind == "image/jpeg"
    assert opened(content).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_only_a_kind_that_is_taken_comes_out(saved: Any, kind: str, mode: str) -> None:
    content, given = fit(saved(photo(120, 80).convert(mode), "p.png"), PLENTY, PLENTY, (kind,))
    assert given == kind
    assert Image.MIME[str(opened(content).format)] == kind


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA"])
def test_every_way_to_keep_colours_is_read(saved: Any, mode: str) -> None:
    name = "p.jpg" if mode == "CMYK" else "p.png"
    content, _ = fit(saved(drawing(100, 100).convert(mode), name), PLENTY, PLENTY, ALL)
    opened(content).load()


def test_a_moving_picture_moves_on_or_is_refused(saved: Any) -> None:
    frames = [drawing(60, 60 + place).crop((0, 0, 60, 60)).rotate(place * 20) for place in range(4)]
    file = saved(frames[0], "m.gif", save_all=True, append_images=frames[1:], duration=80, comment=b"a person")
    content, kind = fit(file, PLENTY, PLENTY, ALL)
    assert kind == "image/gif"
    assert getattr(opened(content), "n_frames", 1) == 4
    assert opened(content).info["duration"] == 80
    assert b"a person" not in content
    for kinds, most in ((("image/jpeg",), PLENTY), (ALL, 100)):
        with pytest.raises(Rejected, match="moving"):
            fit(file, most, PLENTY, kinds)


def bomb(side: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [int(MOST_PIXELS**0.5) + 1, 9_600, 20_000, 60_000])
def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb(side))
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was unfolded"))
    with pytest.raises(Rejected, match="pixels"):
        fit(str(tmp_path / "bomb.png"), PLENTY, PLENTY, ALL)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", bomb(64), b"\xff\xd8\xff\xe0" + bytes(40)],
)
def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.png").write_bytes(content)
    with pytest.raises(Rejected) as caught:
        fit(str(tmp_path / "file.png"), PLENTY, PLENTY, ALL)
    assert "file.png" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_picture_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="no such picture"):
        fit(str(tmp_path / "none.png"), PLENTY, PLENTY, ALL)


def test_what_cannot_be_made_small_enough_is_refused(saved: Any) -> None:
    with pytest.raises(Rejected, match="cannot be brought"):
        fit(saved(photo(400, 300), "p.jpg"), 200, PLENTY, ALL)
