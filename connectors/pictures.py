"""Pictures made fit for a platform: re-encoded within its limits, without what a camera writes into them; no platform.

What comes out holds pixels and nothing else: no place, no camera, no comment, no colour profile (colours are brought to
sRGB first). Small files that unfold into huge pictures are refused before they are unfolded.
"""

import io
from collections.abc import Collection, Iterator

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from connectors.errors import Rejected

READ = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
"""Formats that are opened; what else Pillow knows (some of it hands files to other programs) stays shut."""
MOST_PIXELS = 80_000_000
"""More than this in one picture, or in all frames of a moving one, is refused before it is decoded."""
QUALITIES = (92, 85, 75, 65)
SMALLER = 0.8
LEAST_SIDE = 64
"""Below this a picture is not made smaller any more to save bytes."""
JPEG, PNG, WEBP, GIF = "image/jpeg", "image/png", "image/webp", "image/gif"


def fit(file: str, max_bytes: int, max_pixels: int, kinds: Collection[str]) -> tuple[bytes, str]:
    """The picture in `file` as bytes and their MIME type, one of `kinds`, within both limits; raises Rejected.

    A moving picture stays one (as GIF) or is refused; it is never cut down to its first frame behind its owner's back.
    """
    try:
        with Image.open(file, formats=READ) as picture:
            frames = getattr(picture, "n_frames", 1) if picture.format in ("GIF", "PNG", "WEBP") else 1
            if picture.width * picture.height * frames > MOST_PIXELS:
                raise Rejected(f"{file}: the picture has more than {MOST_PIXELS // 1_000_000} million pixels")
            if frames > 1:
                return _moving(picture, file, max_bytes, max_pixels, kinds)
            return _still(_plain(picture), file, max_bytes, max_pixels, kinds)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Rejected(f"{file}: the picture unfolds into far too many pixels") from None
    except UnidentifiedImageError:
        raise Rejected(f"{file}: not a picture we can read (JPEG, PNG, GIF, WebP, BMP, TIFF)") from None
    except FileNotFoundError:
        raise Rejected(f"{file}: there is no such picture") from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise Rejected(f"{file}: the picture cannot be read ({type(error).__name__})") from None


def _plain(picture: Image.Image) -> Image.Image:
    """Upright, in sRGB, as RGB or RGBA, with nothing beside its pixels."""
    profile = picture.info.get("icc_profile")
    clear = picture.has_transparency_data
    upright = ImageOps.exif_transpose(picture)
    if profile and upright.mode in ("RGB", "RGBA", "CMYK", "L"):
        upright = _in_srgb(upright, profile)
    plain = upright.convert("RGBA" if clear else "RGB")
    plain.info = {}
    return plain


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    mode = picture.mode if picture.mode in ("RGB", "RGBA") else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        brought = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a broken profile says nothing about the colours
    return brought or picture


def _still(
    picture: Image.Image, file: str, max_bytes: int, max_pixels: int, kinds: Collection[str]
) -> tuple[bytes, str]:
    fitting, drawn = _within(picture, max_pixels), _drawn(picture)
    while True:
        for content, kind in _encodings(fitting, kinds, drawn=drawn):
            if len(content) <= max_bytes:
                return content, kind
        smaller = fitting.resize(
            (max(1, int(fitting.width * SMALLER)), max(1, int(fitting.height * SMALLER))), Image.Resampling.LANCZOS
        )
        if max(smaller.size) < LEAST_SIDE:
            raise Rejected(f"{file}: the picture cannot be brought to {max_bytes} bytes as {', '.join(sorted(kinds))}")
        fitting = smaller


def _drawn(picture: Image.Image) -> bool:
    """Whether it looks drawn (or must keep what shines through), which JPEG would spoil; a photograph is not."""
    return picture.mode == "RGBA" or picture.resize((64, 64), Image.Resampling.NEAREST).getcolors(256) is not None


def _encodings(picture: Image.Image, kinds: Collection[str], drawn: bool) -> Iterator[tuple[bytes, str]]:
    """The picture in the ways worth trying, best first."""
    if drawn and PNG in kinds:
        yield _encoded(picture, "PNG", optimize=True), PNG
    if picture.mode == "RGBA" and WEBP in kinds:
        yield from ((_encoded(picture, "WEBP", quality=quality), WEBP) for quality in QUALITIES)
    elif JPEG in kinds and (picture.mode == "RGB" or PNG not in kinds):
        paper = picture
        if picture.mode == "RGBA":
            paper = Image.new("RGB", picture.size, "white")
            paper.paste(picture, mask=picture.getchannel("A"))
        yield from ((_encoded(paper, "JPEG", quality=quality, optimize=True), JPEG) for quality in QUALITIES)
    elif WEBP in kinds:
        yield from ((_encoded(picture, "WEBP", quality=quality), WEBP) for quality in QUALITIES)
    elif PNG in kinds and not drawn:
        yield _encoded(picture, "PNG", optimize=True), PNG


def _moving(
    picture: Image.Image, file: str, max_bytes: int, max_pixels: int, kinds: Collection[str]
) -> tuple[bytes, str]:
    if GIF not in kinds:
        raise Rejected(f"{file}: moving pictures are not taken here")
    frames, pauses = [], []
    for place in range(getattr(picture, "n_frames", 1)):
        picture.seek(place)
        pauses.append(int(picture.info.get("duration") or 100))
        frame = _within(picture.convert("RGBA"), max_pixels)
        frame.info = {}
        frames.append(frame)
    written = io.BytesIO()
    frames[0].save(
        written, "GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0, disposal=2, comment=b""
    )
    if written.tell() > max_bytes:
        raise Rejected(f"{file}: the moving picture has {written.tell()} bytes as GIF; {max_bytes} are taken")
    return written.getvalue(), GIF


def _within(picture: Image.Image, max_pixels: int) -> Image.Image:
    if picture.width * picture.height <= max_pixels:
        return picture
    by = (max_pixels / (picture.width * picture.height)) ** 0.5
    size = (max(1, int(picture.width * by)), max(1, int(picture.height * by)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _encoded(picture: Image.Image, form: str, **options: int | bool) -> bytes:
    written = io.BytesIO()
    picture.save(written, form, **options)
    return written.getvalue()
