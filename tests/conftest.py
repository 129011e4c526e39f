"""What every test may ask for: the folder of real data, skipped with a reason where it is not on this machine."""

from pathlib import Path

import pytest

DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """Real public data beside the checkout; a test that asks for it is skipped without it."""
    if not DATA.is_dir():
        pytest.skip("real data is not on this machine (../shared/data)")
    return DATA
