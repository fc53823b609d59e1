"""The public face: everything is there, and nothing is imported before it is used."""

import subprocess
import sys

import pytest

import exchange_core

HEAVY = ("asyncio", "attrs", "cattrs", "httpx", "msgspec", "pluggy", "rich", "typer", "websockets")


@pytest.mark.parametrize("name", exchange_core.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(exchange_core, name).__name__ == name


def test_nothing_else_is_offered() -> None:
    assert exchange_core.__all__ == sorted(exchange_core.__all__)
    assert set(exchange_core.__all__) <= set(dir(exchange_core))
    with pytest.raises(AttributeError, match="module 'exchange_core' has no attribute 'Krakn'"):
        _ = exchange_core.Krakn


def run(program: str) -> list[str]:
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return result.stdout.split()


def test_importing_it_loads_nothing_heavy() -> None:
    assert run(f"import sys, exchange_core; print(*set(sys.modules) & set({HEAVY!r}))") == []


def test_words_alone_load_no_network() -> None:
    program = "import sys; from exchange_core import OrderRequest, Side, OrderRefused; print(*sys.modules)"
    assert not {"httpx", "websockets", "cattrs", "msgspec"} & set(run(program))
