"""The reference PDS as a process of these tests, and accounts on it; `make pds` gets it, nothing here does."""

import atexit
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.bluesky.appview import AppView
from tests.connectors.bluesky.wire import Wire

HERE = Path(__file__).parent.parent / "pds"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kairos-tests" / "pds"


@dataclass
class Person:
    """An account on the PDS, and what a connector keeps of it."""

    handle: str
    did: str
    password: str
    token: str
    app_password: str = ""
    secrets: dict[str, str] = field(default_factory=dict)

    def keep(self, name: str, value: str | None) -> None:
        if value is None:
            self.secrets.pop(name, None)
        else:
            self.secrets[name] = value


@dataclass
class Network:
    """One PDS with its app view, and the wire through which it is reached."""

    url: str
    view: AppView
    wire: Wire
    _number: Any = field(default_factory=itertools.count)

    def person(self, *, app_password: bool = False) -> Person:
        """A new account, ready to be connected as `main`: with an open session, or an app password to log in with."""
        name = f"person{next(self._number)}"
        asked = {"handle": f"{name}.test", "email": f"{name}@example.com", "password": f"password of {name}"}
        made = self.ask("com.atproto.server.createAccount", asked)
        person = Person(made["handle"], made["did"], asked["password"], made["accessJwt"])
        if app_password:
            made = self.ask("com.atproto.server.createAppPassword", {"name": "kairos"}, person.token)
            person.app_password = made["password"]
            kept = {"handle": person.handle, "app_password": person.app_password, "service": self.wire.url}
        else:
            session = (person.handle, person.did, made["accessJwt"], made["refreshJwt"], self.wire.url)
            kept = {"session": ":::".join(session)}
        person.secrets = {f"bluesky/main/{what}": value for what, value in kept.items()}
        return person

    def ask(self, method: str, data: dict[str, Any] | None = None, token: str | None = None, **params: Any) -> Any:
        """One request past the wire: a procedure with data, else a query."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        place = f"{self.url}/xrpc/{method}"
        if data is None:
            answer = httpx.get(place, params=params, headers=headers, timeout=20)
        else:
            answer = httpx.post(place, json=data, headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    def posts(self, did: str) -> list[dict[str, Any]]:
        """All posts of an account as the PDS keeps them, oldest first."""
        page = self.ask("com.atproto.repo.listRecords", repo=did, collection="app.bsky.feed.post", limit=100)
        return sorted(page["records"], key=lambda post: post["value"]["createdAt"])


def network() -> Network:
    """The PDS of this run, mended; the test is skipped, with a reason, where it cannot run."""
    found = _network()
    if isinstance(found, str):
        pytest.skip(found)
    found.wire.mend()
    found.view.page, found.view.followers = 100, 7
    return found


@cache
def _network() -> Network | str:
    if reason := _missing():
        return reason
    view, folder = AppView(), tempfile.mkdtemp(prefix="kairos-pds-")
    process = subprocess.Popen(
        ["node", HERE / "index.mjs", folder, view.url],
        cwd=CACHE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(_stop, process, folder)
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said:
        return f"the PDS from npm did not start (node ended with {process.wait(10)})"
    view.pds = json.loads(said)["url"]
    return Network(view.pds, view, Wire(view.pds))


def _missing() -> str | None:
    """Why the PDS cannot run here."""
    if shutil.which("node") is None:
        return "node is not on this machine; the PDS is a node program"
    return None if _is_installed() else "the reference PDS is not installed: `make pds` does it, once"


def _is_installed() -> bool:
    try:
        wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
        folders = {name: CACHE / "node_modules" / name / "package.json" for name in wanted}
        done = (CACHE / "node_modules" / ".package-lock.json").is_file()  # npm writes it last
        return done and all(json.loads(folders[name].read_text())["version"] == wanted[name] for name in wanted)
    except (OSError, ValueError):
        return False


def _stop(process: "subprocess.Popen[str]", folder: str) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)
