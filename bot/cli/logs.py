"""The log: what libraries and background threads have to tell, beside the words for a person; a file, never stderr."""

import logging
from pathlib import Path


def log_to(folder: Path) -> None:
    """Write warnings to kairos.log in this folder; the file is made with the first of them."""
    logging.raiseExceptions = False  # a log that cannot be written ends nothing
    handler = logging.FileHandler(folder / "kairos.log", encoding="utf-8", delay=True)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
