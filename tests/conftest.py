"""What every test may ask for: real data, skipped with a reason where there is none, and an empty database to copy."""

import os
from pathlib import Path

import pytest

from storage.database import open_database

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # never the keyring of whoever runs the tests
DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """Real public data beside the checkout; a test that asks for it is skipped without it."""
    if not DATA.is_dir():
        pytest.skip("real data is not on this machine (../shared/data)")
    return DATA


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file with all tables, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "kairos.db"
    open_database(file).close()
    return file
