"""Looks at an installation and says what is fine and what is not; it repairs nothing and reaches no network."""

import importlib.util
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.settings import Settings, is_there

ROOMS = ("bot", "connectors", "scheduler", "storage")
ROOM_NEEDED = 200 * 1024 * 1024
"""Bytes of free disk below which a database may soon not be written any more."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, not fine, or (None) not there and not needed."""

    what: str
    fine: bool | None
    words: str


def examine(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    """Everything worth knowing, in the order in which things depend on each other."""
    return [
        *_rooms(),
        _disk(settings.folder),
        *_databases(settings),
        _guarded("encoder", _encoder),
        _guarded("model", _model),
        *_connectors(),
        *_accounts(settings, environment),
        _kill_switch(settings),
    ]


def _rooms() -> Iterator[Finding]:
    """The four packages have common names: another distribution's may stand before ours."""
    home = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        found = importlib.util.find_spec(room)
        where = Path(found.origin).parent if found is not None and found.origin else None
        if where is None or where.resolve() != home / room:
            yield Finding(f"package {room}", False, f"{where} is not ours: install Kairos in an environment of its own")
    yield Finding("packages", True, f"from {home}")


def _disk(folder: Path) -> Finding:
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    words = f"{folder}, {free / 2**30:.1f} GiB free"
    if free < ROOM_NEEDED:
        return Finding("folder", False, f"{words}: make room before you start a run")
    return Finding("folder", True, words)


def _databases(settings: Settings) -> Iterator[Finding]:
    from storage.database import StorageError, open_database
    from storage.engagement import posts_by_account

    for name, url in settings.worlds.items():
        if not is_there(url):
            yield Finding(f"{name} database", None, "nothing there yet")
            continue
        try:
            db = open_database(url, migrate=False)
            try:
                with db.read() as session:
                    counted = posts_by_account(session)
            finally:
                db.close()
        except StorageError as error:
            yield Finding(f"{name} database", False, str(error))
        else:
            words = f"{sum(counted.values())} public posts of {len(counted)} accounts"
            yield Finding(f"{name} database", True, words)


def _encoder() -> str:
    from bot.attention.encoder import StaticEncoder

    return f"text encoder with {StaticEncoder.load().dimension} dimensions"


def _model() -> str:
    from bot.attention import SHIPPED, load

    forecaster = load()
    return f"{forecaster.name} from {SHIPPED.name}"


def _guarded(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except Exception as error:
        return Finding(what, False, (str(error).splitlines() or [type(error).__name__])[0])


def _connectors() -> Iterator[Finding]:
    from connectors.registry import load, platforms

    for platform, distribution in sorted(platforms().items()):
        try:
            load(platform)
        except Exception as error:
            yield Finding(f"connector {platform}", False, f"from {distribution}: {type(error).__name__}: {error}")
        else:
            yield Finding(f"connector {platform}", True, f"from {distribution}")


def _accounts(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether each account of the live world is connected; one that only has an imported history need not be."""
    from bot.app import open_accounts
    from bot.keys import KeyUnusable
    from storage.database import StorageError

    if not is_there(settings.truth_url):
        return
    try:
        with open_accounts(settings, environment, migrate=False) as accounts:
            try:
                place = accounts.key_place()
            except KeyUnusable as error:
                yield Finding("secrets", False, str(error))
            else:
                words = f"sealed in the database, their key in {place}"
                yield Finding("secrets", True if place else None, words if place else "none stored")
            for account in accounts.standings():
                words = f"connected by {' and '.join(account.places)}" if account.places else "connected"
                yield Finding(f"account {account.account}", account.connected or None, account.words or words)
    except StorageError:
        return  # told with the databases


def _kill_switch(settings: Settings) -> Finding:
    from bot.switch import pulled

    places = pulled(settings).places
    if places:
        return Finding("kill switch", None, f"everything is stopped ({', '.join(places)}); `kairos resume` starts it")
    return Finding("kill switch", True, "not pulled")
