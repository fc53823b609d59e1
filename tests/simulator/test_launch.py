import json
from decimal import Decimal

import httpx
import pytest
from websockets.asyncio.client import connect

from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.model.account import FeeRates
from exchange_core.simulator.launch import SimulatorLaunch, launch
from exchange_core.simulator.transport import SimulatorTransport
from exchange_core.testing.clock import ManualClock
from tests.simulator.conftest import LINEAR, SPOT, Desk, Protocol


async def test_several_venues_run_at_once_with_their_own_prices_fees_and_accounts(spec: SimulatorSpec) -> None:
    fees = FeeRates(maker=Decimal("0.001"), taker=Decimal("0.002"))
    wanted = {
        "one": SimulatorLaunch(spec=spec, seed=1),
        "two": SimulatorLaunch(spec=spec, seed=2, price_shift=Decimal("0.05"), fees=fees, deposits={"USD": Decimal(7)}),
    }
    async with launch(wanted, clock=ManualClock()) as running:
        one, two = running["one"], running["two"]
        assert one.urls["rest_url"] != two.urls["rest_url"]
        assert one.exchange.market(SPOT).start_price == 100
        assert two.exchange.market(SPOT).start_price == 105
        assert one.exchange.book(SPOT, 1)[1][0].price < two.exchange.book(SPOT, 1)[0][0].price
        assert one.exchange.market(SPOT).fees == spec.markets[0].fees
        assert two.exchange.market(SPOT).fees == fees
        key = two.exchange.key(two.api_key)
        assert key is not None
        assert key.api_secret == two.api_secret
        assert [(b.asset, b.total) for b in two.exchange.balances(key.account)] == [("USD", 7)]
        for venue in running.values():
            assert venue.exchange.trades(SPOT)
            venue.exchange.check_invariants()
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"{venue.urls['rest_url']}/echo")).status_code == 200
            async with connect(venue.urls["ws_url"]) as socket:
                assert await socket.recv() == "hello"


async def test_the_same_seed_gives_the_same_venue_and_another_seed_another(spec: SimulatorSpec) -> None:
    wanted = {str(n): SimulatorLaunch(spec=spec, seed=seed) for n, seed in enumerate((1, 1, 2))}
    async with launch(wanted, clock=ManualClock()) as running:
        first, again, other = running.values()
        assert (first.api_key, first.api_secret) == (again.api_key, again.api_secret)
        assert first.exchange.book(SPOT) == again.exchange.book(SPOT)
        assert first.exchange.book(SPOT) != other.exchange.book(SPOT)
        assert first.api_secret != other.api_secret


async def test_a_secret_shows_only_where_it_is_asked_for(spec: SimulatorSpec) -> None:
    async with launch({"one": SimulatorLaunch(spec=spec)}, clock=ManualClock()) as running:
        venue = running["one"]
        assert venue.api_secret not in repr(running)
        assert venue.settings() == {**venue.urls, "api_key": venue.api_key, "api_secret": venue.api_secret}


async def test_a_venue_that_cannot_start_takes_the_others_with_it(spec: SimulatorSpec) -> None:
    async with launch({"one": SimulatorLaunch(spec=spec)}, clock=ManualClock()) as running:
        port = int(running["one"].urls["rest_url"].rpartition(":")[2])
        wanted = {"two": SimulatorLaunch(spec=spec), "three": SimulatorLaunch(spec=spec, port=port)}
        with pytest.raises(OSError, match=str(port)):
            async with launch(wanted, clock=ManualClock()):
                pass


async def test_a_market_whose_liquidity_comes_from_outside_has_no_maker(spec: SimulatorSpec) -> None:
    async with launch({"one": SimulatorLaunch(spec=spec, outside=[SPOT])}, clock=ManualClock()) as running:
        exchange = running["one"].exchange
        assert exchange.book(SPOT) == ([], [])
        assert not exchange.trades(SPOT)
        assert exchange.book(LINEAR) != ([], [])


async def test_without_ports_an_http_client_talks_to_the_protocol_in_process(desk: Desk) -> None:
    transport = SimulatorTransport(Protocol(desk.exchange))
    async with httpx.AsyncClient(transport=transport, base_url="http://nowhere") as client:
        reply = await client.post("/echo", params={"a": "b c"}, content=b"four")
        assert json.loads(reply.text) == {"method": "POST", "target": "/echo?a=b+c", "body": 4}
        assert reply.headers["content-type"] == "application/json"
        order = {"account": "alice", "side": "buy", "quantity": "1", "price": "99"}
        placed = await client.get("/order", params=order)
        assert desk.exchange.order("alice", placed.text) is not None
