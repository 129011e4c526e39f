"""Makes the static encoder's table from a sentence transformer in a local folder; run by developers, never by the bot.

    python -m bot.attention.distill MODEL_FOLDER TEXTS... OUT

Each word piece is sent alone through the full encoder; its vector is centred, weighted by how rare the piece is in the
given texts (a / (a + frequency), Arora et al. 2017), and turned to the main axes of those texts.
TEXTS are CSV files, gzipped or not, with a column `text`.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from transformers import AutoModel

from bot.attention.episodes import csv_rows

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the official all-MiniLM-L6-v2 weights."""
DIMENSION = 256
COMMON = 1e-3
"""`a` of the weighting."""
EVERY = 7
"""Every so many texts are read for frequencies and axes."""


def piece_vectors(folder: Path) -> NDArray[np.float32]:
    """The full encoder's mean-pooled output for each word piece alone (vocabulary, 384)."""
    weights = folder / "model.safetensors"
    if hashlib.sha256(weights.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{weights}: not the official all-MiniLM-L6-v2 weights (SHA-256 differs)")
    torch.set_num_threads(1)
    model = AutoModel.from_pretrained(folder).eval()
    size, first, last = model.config.vocab_size, 101, 102
    rows = []
    with torch.inference_mode():
        for start in range(0, size, 512):
            pieces = torch.arange(start, min(start + 512, size))
            ids = torch.stack([torch.full_like(pieces, first), pieces, torch.full_like(pieces, last)], dim=1)
            rows.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(dim=1))
    return np.asarray(torch.cat(rows).numpy(), dtype=np.float32)


def texts_of(files: list[Path]) -> Iterator[str]:
    """Every EVERY-th text of the files."""
    for file in files:
        for number, row in enumerate(csv_rows(file)):
            if number % EVERY == 0 and row["text"]:
                yield row["text"][:512]


def distill(folder: Path, files: list[Path], out: Path) -> None:
    """Write `tokenizer.json` and `table.safetensors` (int8 rows, one scale each) to `out`."""
    vectors = piece_vectors(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pieces = [found.ids for found in tokenizer.encode_batch(list(texts_of(files)), add_special_tokens=False)]
    counts = np.bincount(np.concatenate([np.asarray(ids, dtype=np.int64) for ids in pieces]), minlength=len(vectors))
    frequency = (counts + 0.5) / (counts.sum() + 0.5 * len(vectors))
    centred = vectors - (frequency[:, None] * vectors).sum(axis=0)
    weighted = centred * (COMMON / (COMMON + frequency))[:, None]
    sums = np.stack([weighted[ids].sum(axis=0) for ids in pieces if ids])
    sums /= np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9
    axes = np.linalg.eigh(sums.T @ sums)[1][:, ::-1][:, :DIMENSION]
    table = weighted @ axes
    scale = np.abs(table).max(axis=1) / 127 + 1e-12
    out.mkdir(parents=True, exist_ok=True)
    rows = np.round(table / scale[:, None]).astype(np.int8)
    save_file({"rows": rows, "scale": scale.astype(np.float32)}, out / "table.safetensors")
    shutil.copy(folder / "tokenizer.json", out / "tokenizer.json")


if __name__ == "__main__":
    distill(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:-1]], Path(sys.argv[-1]))
