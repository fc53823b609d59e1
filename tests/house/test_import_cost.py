"""Importing the library stays small: what is heavy is imported when it is used."""

import subprocess
import sys

import pytest

HEAVY = (
    "aiosqlite",
    "alembic",
    "httpx",
    "prometheus_client",
    "redis",
    "rich",
    "sqlalchemy",
    "sqlite3",
    "typer",
    "websockets",
)


@pytest.mark.parametrize("module", ["exchange_core", "kraken_futures.plugin", "kraken_spot.plugin"])
def test_importing_loads_no_network_sql_or_terminal_library(module: str) -> None:
    program = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []
