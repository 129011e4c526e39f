"""How much a wording appeals beside other wordings of the same thing, by small fitted weights; nothing is fitted here.

The weights come from randomised headline tests (see `bot.attention.wording_fit`): a quadratic form over a wording's
vector and looks, and a weight for each of its letter groups. An appeal is in log odds of a click and knows nothing of
the account: it is meant for wordings of one and the same post.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from bot.attention.encoder import StaticEncoder
from bot.attention.wording_looks import LOOKS, grams, looks

SHIPPED = Path(__file__).parent / "weights" / "wording"
LOOKS_SHARE = 0.4
"""Length of an average row of looks beside that of an average vector, which is 1."""
FAR = 4.0
"""Looks count at most so many standard deviations: posts are odder than headlines."""
MOST = 1.0
"""Appeals lie between -MOST and MOST; arms of the tests hardly ever differed by more."""
PROBE = "What happened next, in a sentence or two."
"""Its vector is kept with the weights, which mean nothing with another encoder."""


class Encoder(Protocol):
    """Texts -> vectors (n, d)."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        ...


def encoder_of(path: str | Path | None) -> Encoder:
    """The sentence encoder in a folder or of a hub id (needs torch), by default the static one."""
    if path is None:
        return StaticEncoder.load()
    from bot.attention.wording_encoder import SentenceEncoder

    return SentenceEncoder(path)


def weights_file(folder: Path, path: str | Path | None) -> Path:
    """The weights that belong to an encoder."""
    return folder / ("static.safetensors" if path is None else "sentence.safetensors")


class Wordings:
    """Fitted weights and the encoder they were fitted with."""

    def __init__(self, weights: Mapping[str, NDArray[np.floating]], encoder: Encoder) -> None:
        self._weights = {name: value.astype(np.float64) for name, value in weights.items()}
        self._encoder = encoder

    @classmethod
    def load(cls, encoder: str | Path | None = None, folder: Path = SHIPPED) -> "Wordings":
        """The weights in a folder for the static encoder, or for a sentence encoder in a folder or of a hub id.

        Raises OSError where there are no weights, no encoder, or the two do not belong together.
        """
        file = weights_file(folder, encoder)
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no weights of wordings here")
        weights, reader = load_file(file), encoder_of(encoder)
        (seen,), known = reader.encode([PROBE]), weights["probe"]
        if seen.shape != known.shape or float(seen @ known) < 0.999 * float(known @ known):
            raise OSError(f"{file}: fitted with another encoder than {encoder or 'the shipped one'}; fit it again")
        return cls(weights, reader)

    def appeal(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Log odds of a click (n,), 0 for an average headline, between -MOST and MOST."""
        w = self._weights
        rows = scaled(numbers(texts, self._encoder), w["centre"], w["gain"])
        found = rows @ w["linear"] + (rows @ w["axes"]) ** 2 @ w["bends"] - w["average"]
        found += [w["grams"][grams(text)].sum() for text in texts]
        return np.asarray(found.clip(-MOST, MOST))


def numbers(texts: Sequence[str], encoder: Encoder) -> NDArray[np.float64]:
    """Vectors and looks side by side (n, d + LOOKS)."""
    return np.concatenate([encoder.encode(texts).astype(np.float64), looks(texts)], axis=1)


def scaled(rows: NDArray[np.float64], centre: NDArray[np.float64], gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers as the quadratic form reads them: looks far from any headline's are brought nearer."""
    found = (rows - centre) * gain
    most = FAR * LOOKS_SHARE / np.sqrt(LOOKS)
    found[:, -LOOKS:] = found[:, -LOOKS:].clip(-most, most)
    return np.asarray(found)
