"""Bluesky: `connect` and `login` are all that is asked for here; the SDK is imported in this package alone."""

from connectors.bluesky.account import connect
from connectors.bluesky.login import login

__all__ = ["connect", "login"]
