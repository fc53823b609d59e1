"""Importing the library stays small: what is heavy is imported when it is used."""

import subprocess
import sys

import pytest

HEAVY = (
    "aiohttp",
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
    assert not loaded(f"import {module}") & set(HEAVY)


def test_a_program_that_connects_loads_no_simulated_side_and_no_calls_that_it_does_not_make() -> None:
    """REST calls load one HTTP library when they are first made, and never httpx."""
    modules = loaded("from exchange_core import Hub, connect, load_plugins; load_plugins().venue('kraken_spot')")
    assert {"kraken_spot.rest.operations", "kraken_futures.rest.operations"} <= modules
    assert not modules & {"aiohttp", "httpx", "rich", "typer", "kraken_spot.rest.earn", "kraken_futures.rest.wallets"}
    unused = ("simulator", ".rest.history", "kraken_spot.history", "kraken_futures.history", ".walks")
    assert not {module for module in modules if any(name in module for name in unused)}


def test_a_rest_call_loads_no_httpx() -> None:
    program = """
import asyncio
from exchange_core.connector.rest import HttpRequest
from exchange_core.transport.http import HttpSender, SendFailed

async def main():
    sender = HttpSender()
    try:
        await sender.send("http://127.0.0.1:1", HttpRequest("GET", "/", {}), within=5)
    except SendFailed:
        await sender.aclose()

asyncio.run(main())
"""
    modules = loaded(program)
    assert "aiohttp" in modules
    assert "httpx" not in modules


def loaded(program: str) -> set[str]:
    """Return the modules that a fresh process has after *program*."""
    told = f"{program}\nimport sys; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())
