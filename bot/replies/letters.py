"""How a text is written, as a vector: runs of letters, hashed, in any language; what it means is not seen here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

Rows = NDArray[np.float32]
_RUNS = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=2048, norm="l2")


def letters(texts: Sequence[str]) -> Rows:
    """Rows (n, 2048) of unit length; zeros for a text without letters."""
    rows: Rows = _RUNS.transform(texts).toarray().astype(np.float32)
    return rows
