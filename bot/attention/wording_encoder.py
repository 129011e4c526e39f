"""Text -> vector by a sentence transformer somebody has on disk or on a hub; Kairos ships none and works without."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

LAYERS = (4, 5)
"""How a thing is said is plainer in these layers of all-MiniLM-L6-v2 than in its last one, which is about the topic."""
TOGETHER = 32
PIECES = 64
"""Word pieces of a text that are read."""


class SentenceEncoder:
    """The mean over word pieces of some layers, each of unit length, side by side."""

    def __init__(self, path: str | Path, layers: Sequence[int] = LAYERS) -> None:
        """From a folder or a hub id (owner/name); raises OSError where there is no such model."""
        torch.set_num_threads(1)
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._layers = layers
        here = Path(path).is_dir()
        self._tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=here)
        self._model = AutoModel.from_pretrained(path, local_files_only=here).eval()
        self._model.encoder.layer = self._model.encoder.layer[: max(layers)]  # what is not read is not computed

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, layers * 384), one per text, whatever else is encoded with it."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found = np.zeros((len(texts), len(self._layers) * self._model.config.hidden_size), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), TOGETHER):
                some = order[start : start + TOGETHER]
                plain = [texts[at].encode("utf-8", "replace").decode() for at in some]
                pieces = self._tokenizer(plain, padding=True, truncation=True, max_length=PIECES, return_tensors="pt")
                layers = self._model(**pieces, output_hidden_states=True).hidden_states
                real = pieces["attention_mask"][..., None]
                means = [(layers[layer] * real).sum(1) / real.sum(1) for layer in self._layers]
                found[some] = torch.cat([torch.nn.functional.normalize(one, dim=-1) for one in means], dim=-1).numpy()
        return found
