"""Readers of histories that platforms and people hand out as files; no database and no network."""

from connectors.archives.base import Archive, ArchiveError, BadRow, LeftOut, Row
from connectors.archives.opening import open_archive

__all__ = ["Archive", "ArchiveError", "BadRow", "LeftOut", "Row", "open_archive"]
