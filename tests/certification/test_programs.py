"""What ``exchange simulate`` prints for other clients can be pasted as it stands."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exchange_core.testing.simulated import SimulatedVenue, simulated_venue

pytestmark = pytest.mark.filterwarnings("ignore")

MODULES = {"ccxt": "ccxt.pro", "krakenex": "krakenex", "python-kraken-sdk": "kraken"}


def run(venue: SimulatedVenue, client: str) -> dict[str, Any]:
    pytest.importorskip(MODULES[client], reason=f"{client} is not installed; make certify has it")
    assert venue.spec.clients is not None
    names: dict[str, Any] = {}
    exec(venue.spec.clients(venue.settings())[client], names)
    return names


@pytest.mark.parametrize("plugin", ["kraken_spot", "kraken_futures"])
def test_ccxt(plugin: str) -> None:
    with simulated_venue(plugin) as venue:

        async def ask() -> Any:
            exchange = run(venue, "ccxt")["exchange"]
            try:
                market = next(iter(await exchange.load_markets()))
                assert (await exchange.watch_order_book(market))["bids"]
                return await exchange.fetch_balance()
            finally:
                await exchange.close()

        assert asyncio.run(ask())["total"]["USD"] > 0


def test_krakenex() -> None:
    with simulated_venue("kraken_spot") as venue:
        assert run(venue, "krakenex")["client"].query_private("Balance")["result"]["ZUSD"]


def test_python_kraken_sdk_at_both_venues() -> None:
    with simulated_venue("kraken_spot") as spot, simulated_venue("kraken_futures") as futures:
        assert run(spot, "python-kraken-sdk")["trade"].cancel_all_orders() == {"count": 0}
        assert run(futures, "python-kraken-sdk")["trade"].get_fills()["fills"] == []
