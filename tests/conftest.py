"""Fixtures for every room."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code.
settings.register_profile("facts", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("facts")

pytest.register_assert_rewrite("exchange_core.testing.contract")


@pytest.fixture(scope="session")
def captures() -> Path:
    """Return the folder of recorded venue payloads, which lies outside of the repository."""
    folder = os.environ.get("CAPTURES_DIR")
    if not folder:
        pytest.skip("CAPTURES_DIR is not set; it names the folder of recorded venue payloads")
    path = Path(folder)
    if not path.is_dir():
        pytest.skip(f"CAPTURES_DIR names {path}, which is not a folder")
    return path
