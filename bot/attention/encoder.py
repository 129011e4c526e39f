"""Text -> vector by a static table: one row per word piece, summed and scaled to unit length; no network, no torch.

The table is a distillation of a sentence transformer (see `bot.attention.distill`); encoding a post takes well under
a millisecond, and ranked as well as the full encoder for engagement.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

SHIPPED = Path(__file__).parent / "weights" / "encoder"
REMEMBERED = 50_000
"""Texts whose vectors are kept in memory."""
LONGEST = 512
"""Characters of a text that are read: what follows hardly moves the sum."""


class EncoderMissing(FileNotFoundError):
    """The folder holds no encoder table."""


class StaticEncoder:
    """A tokenizer and a table (vocabulary, d), kept as it is stored: small rows and a scale for each (vocabulary,).

    Not thread-safe in its cache's order, safe in its answers.
    """

    def __init__(self, tokenizer: Tokenizer, rows: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
        self._tokenizer, self._rows, self._scales = tokenizer, rows, scales
        self._known: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    @classmethod
    def load(cls, path: Path | None = None) -> "StaticEncoder":
        """The encoder in a folder (tokenizer.json, table.safetensors), by default the shipped one, loaded once."""
        return _load(path or SHIPPED)

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        return int(self._rows.shape[1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) of unit length, one per text; a text without a known word gives zeros."""
        keys = [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        found = dict(zip(new, self._encode_new(list(new.values())), strict=True))
        rows = [found[key] if key in found else self._known[key] for key in keys]
        self._known.update(found)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return np.stack(rows) if rows else np.zeros((0, self.dimension), dtype=np.float32)

    def _encode_new(self, texts: list[str]) -> list[NDArray[np.float32]]:
        vectors = []
        plain = [text[:LONGEST].encode("utf-8", "replace").decode() for text in texts]
        for encoding in self._tokenizer.encode_batch(plain, add_special_tokens=False):
            total = self._scales[encoding.ids] @ self._rows[encoding.ids]
            length = float(np.linalg.norm(total))
            vectors.append((total / length if length > 0 else total).astype(np.float32))
        return vectors


@cache
def _load(folder: Path) -> StaticEncoder:
    table, words = folder / "table.safetensors", folder / "tokenizer.json"
    if not table.is_file() or not words.is_file():
        raise EncoderMissing(f"{folder}: no text encoder here (needs tokenizer.json and table.safetensors)")
    stored = load_file(table)
    tokenizer = Tokenizer.from_file(str(words))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return StaticEncoder(tokenizer, stored["rows"], stored["scale"].astype(np.float32))
