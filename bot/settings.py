"""Where Kairos keeps its things on this machine, read from the environment once; no campaign and no secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Places of one installation. `folder` is `.kairos` beside the campaigns unless KAIROS_HOME says otherwise."""

    folder: Path
    database_url: str | None = None
    """Where the true history and the live outbox are kept, from KAIROS_DATABASE_URL; a file in `folder` by default."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], here: Path) -> "Settings":
        """Read KAIROS_HOME and KAIROS_DATABASE_URL; `here` is the folder a user stands in."""
        return cls(
            folder=Path(environment.get("KAIROS_HOME") or here / ".kairos").expanduser(),
            database_url=environment.get("KAIROS_DATABASE_URL") or None,
        )

    @property
    def worlds(self) -> dict[str, str]:
        """Database of each world, live and rehearsal."""
        return {"live": self.truth_url, "rehearsal": self.rehearsal_url}

    @property
    def truth_url(self) -> str:
        """Database of the live world and of imported history."""
        return self.database_url or f"sqlite:///{self.folder / 'kairos.db'}"

    @property
    def rehearsal_url(self) -> str:
        """Database of the dry run: always a file of its own, so that nothing simulated meets the truth."""
        return f"sqlite:///{self.folder / 'dry' / 'kairos.db'}"

    @property
    def stop_file(self) -> Path:
        """The kill switch's file: while it exists, nothing is written to any platform."""
        return self.folder / "STOP"

    @property
    def plans(self) -> Path:
        """Where `kairos plan` writes its hashed plans."""
        return self.folder / "plans"


def is_there(database_url: str) -> bool:
    """Whether this database has been made; one on a server counts as made."""
    place = database_url.removeprefix("sqlite:///")
    return place == database_url or Path(place).exists()
