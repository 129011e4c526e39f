"""Reddit behind the common verbs: connecting an account and using it; the only place that knows praw."""

from connectors.reddit.account import connect
from connectors.reddit.login import login

__all__ = ["connect", "login"]
