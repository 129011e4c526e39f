"""Mastodon: `connect` and `login` are all that is asked for here; the SDK is imported in this package alone."""

from connectors.mastodon.account import connect
from connectors.mastodon.login import login

__all__ = ["connect", "login"]
