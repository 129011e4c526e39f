"""X (Twitter) behind the common verbs: connecting an account and using it; the only place that knows tweepy."""

from connectors.x.account import connect
from connectors.x.login import login

__all__ = ["connect", "login"]
