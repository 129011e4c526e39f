"""What can go wrong at a platform, sorted by what the caller must do; no platform's own exception lives or leaks here.

ConnectorError
├── RateLimited      wait until `reset_at`, then try again: nothing was written
├── AuthExpired      a person must log in again: nothing was written
├── Rejected         the platform said no: sending the same again is useless
├── Unavailable      nothing was written: try again later
└── OutcomeUnknown   it may be public: never send again before `find`
"""

from datetime import datetime


class ConnectorError(Exception):
    """The common ancestor; its message is one line for a person and holds no secret."""


class RateLimited(ConnectorError):
    """The platform asked us to wait; `reset_at` is an aware datetime."""

    def __init__(self, message: str, reset_at: datetime) -> None:
        super().__init__(message)
        self.reset_at = reset_at


class AuthExpired(ConnectorError):
    """The platform no longer accepts our credentials."""


class Rejected(ConnectorError):
    """The platform refused this very draft (too long, duplicate, forbidden)."""


class Unavailable(ConnectorError):
    """The platform could not be reached, and certainly nothing was written."""


class OutcomeUnknown(ConnectorError):
    """The answer was lost after the request left: the draft may be public."""
