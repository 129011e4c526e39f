"""The worked plugin, installed as a stranger would: it posts through `kairos`, and a rehearsal sends it nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from connectors import errors
from connectors.base import Draft, Surroundings
from scheduler.drafts import to_json
from storage import engagement, outbox
from storage.database import open_database
from storage.models import Post, State

ROOT = Path(__file__).parent.parent.parent
PLUGIN = ROOT / "examples" / "plugin"
SECRET = "h00k-canary-Zq7"
CAMPAIGN = """\
version: 1
name: garden
accounts: [webhook/shop]
timezone: UTC
mode: auto
when: {posts_per_week: 7, holdout: 0%}
posts:
  - {id: seeds, text: Sow your peas now.}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the plugin in it, put there by pip from a copy of its source."""
    if find_spec("setuptools") is None or find_spec("pip") is None:
        pytest.skip("pip and setuptools are needed to install the plugin without a network")
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", str(folder / "site"), str(source)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


class Hook(ThreadingHTTPServer):
    """A server on loopback that remembers what it was sent."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.taken: list[Any] = []
        self.arrived = threading.Event()
        super().__init__(("127.0.0.1", 0), Taking)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{SECRET}"


class Taking(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()
        self.server.arrived.set()

    def log_message(self, *args: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Shop:
    """A folder with a campaign for the webhook, and the command in processes that know the plugin."""

    def __init__(self, home: Path, site: Path) -> None:
        self.home = home
        self.said = ""
        own = {"KAIROS_HOME": str(home / ".kairos"), "PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "OMP_NUM_THREADS": "1"}
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("KAIROS_")} | own
        (home / "garden.yaml").write_text(CAMPAIGN, encoding="utf-8")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", "from bot.cli import main; main()", *arguments],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kairos(self, *arguments: str, answers: str = "", code: int = 0) -> str:
        """What the command says on both streams, once it has ended with this code."""
        process = self.start(*arguments)
        out, err = process.communicate(answers, timeout=120)
        assert process.returncode == code, err
        return self.heard(out + err)

    def heard(self, said: str) -> str:
        self.said += said
        return said

    def due(self, text: str) -> None:
        """A post that was planned for a moment ago."""
        now = datetime.now(UTC)
        slot, draft = now - timedelta(seconds=30), to_json(Draft(text))
        post = Post(
            account="webhook/shop",
            campaign="garden",
            item="due",
            local_slot=f"{slot:%Y-%m-%dT%H:%M}",
            slot_at=slot,
            not_before=slot,
            draft=draft,
            digest=outbox.digest_of(draft),
            key="key-of-due",
            created_at=now,
            updated_at=now,
        )
        db = open_database(self.home / ".kairos" / "kairos.db")
        with db.write() as session:
            engagement.ensure_account(session, "webhook/shop", now)
            outbox.add(session, [post])
        db.close()

    def states(self) -> dict[str, State]:
        db = open_database(self.home / ".kairos" / "kairos.db")
        with db.read() as session:
            found = {post.item: post.state for post in session.exec(select(Post))}
        db.close()
        return found


def test_it_is_small_enough_for_an_afternoon() -> None:
    assert len((PLUGIN / "kairos_webhook.py").read_text(encoding="utf-8").splitlines()) <= 80


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module itself, from its folder."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    return import_module("kairos_webhook")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, errors.Rejected),
        (400, errors.Rejected),
        (404, errors.AuthExpired),
        (429, errors.RateLimited),
        (500, errors.OutcomeUnknown),
    ],
)
def test_each_answer_is_sorted_by_what_follows_and_the_address_stays_out_of_the_words(
    tmp_path: Path, webhook: Any, hook: Hook, status: int, error: type[errors.ConnectorError]
) -> None:
    hook.status = status
    around = Surroundings(lambda: datetime.now(UTC), tmp_path, lambda name: hook.url)
    with pytest.raises(error) as told:
        webhook.connect("shop", around).publish(Draft("It rains."), "k")
    assert type(told.value) is error
    assert SECRET not in str(told.value)
    assert len(hook.taken) == 1


def test_where_nobody_listens_certainly_nothing_was_sent(tmp_path: Path, webhook: Any) -> None:
    around = Surroundings(lambda: datetime.now(UTC), tmp_path, lambda name: "http://127.0.0.1:1/x")
    with pytest.raises(errors.Unavailable):
        webhook.connect("shop", around).publish(Draft("It rains."), "k")


@pytest.mark.slow
def test_an_installed_plugin_is_connected_rehearsed_without_a_request_and_posts_once_when_live(
    tmp_path: Path, installed: Path, hook: Hook
) -> None:
    """One story, since starting a process takes longest."""
    shop = Shop(tmp_path, installed)
    refused = shop.kairos("run", "garden.yaml", "--live", "--baseline", code=4)
    assert refused == "webhook/shop is not connected: kairos accounts add webhook/shop\n"

    assert "127.0.0.1" in shop.kairos("accounts", "add", "webhook/shop", answers=f"{hook.url}\n")
    shop.kairos("run", "garden.yaml", "--baseline", "--days", "9")
    assert hook.taken == []

    shop.due("It rains.")
    process = shop.start("run", "garden.yaml", "--live", "--baseline")
    assert hook.arrived.wait(timeout=120)
    assert process.stderr is not None
    next(line for line in process.stderr if shop.heard(line) and "published #1 on webhook/shop" in line)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    shop.heard(out + err)
    assert process.returncode == 0, err
    sent = {"key": "key-of-due", "text": "It rains.", "parts": [], "title": None, "link": None}
    assert hook.taken == [(f"/{SECRET}", sent)]
    assert shop.states()["due"] == State.PUBLISHED

    assert SECRET not in shop.said
    assert [file for file in tmp_path.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()] == []
