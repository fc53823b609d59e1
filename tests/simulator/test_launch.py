import json
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest
from websockets.asyncio.client import connect

from exchange_core.connector.simulation import SimEvent, SimulatorSpec
from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.model.account import FeeRates
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.launch import PreparedSimulator, SimulatorLaunch, launch, prepare
from exchange_core.simulator.makers.settings import MarketWanted
from exchange_core.simulator.serving.transport import SimulatorTransport
from exchange_core.testing.clock import ManualClock
from tests.simulator.conftest import LINEAR, SPOT, Desk, HandClock, Protocol


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


WANTED = (
    MarketWanted(settings={"levels": 4}),
    MarketWanted(symbol=SPOT, price=Decimal(200), fees=FeeRates(maker=Decimal(0), taker=Decimal("0.1"))),
    MarketWanted(symbol=LINEAR, status=InstrumentStatus.CANCEL_ONLY),
)


def test_markets_are_as_they_are_wanted(spec: SimulatorSpec) -> None:
    exchange = prepare(SimulatorLaunch(spec=spec, markets=WANTED), HandClock()).exchange
    bids, asks = exchange.book(SPOT)
    assert (len(bids), len(asks)) == (4, 4)
    assert abs(bids[0].price - 200) < 10
    assert exchange.market(SPOT).fees.taker == Decimal("0.1")
    assert not exchange.market(SPOT).fee_tiers
    assert exchange.market(LINEAR).instrument.status is InstrumentStatus.CANCEL_ONLY
    assert exchange.book(LINEAR)[0], "it has a book all the same"


def test_a_market_that_is_not_there_is_refused(spec: SimulatorSpec) -> None:
    wanted = MarketWanted(symbol=Symbol.parse("DOGE/USD"), price=Decimal(1))
    with pytest.raises(ConfigError, match=r"no market DOGE/USD; expected one of BTC/USD"):
        prepare(SimulatorLaunch(spec=spec, markets=[wanted]), HandClock())


def test_a_restored_venue_goes_on_as_it_would_have(spec: SimulatorSpec) -> None:
    clock = HandClock()
    first = prepare(SimulatorLaunch(spec=spec, seed=5, markets=WANTED[:2]), clock)
    go_on(first, clock, 20)
    first.makers[0].price = Decimal(150)
    saved, moment = json.loads(json.dumps(first.save())), clock.moment
    heard: list[list[SimEvent]] = []
    for venue in (first, None):
        clock.moment = moment
        venue = venue or prepare(SimulatorLaunch(spec=spec, seed=5, markets=WANTED[1:2], saved=saved), clock)
        events: list[SimEvent] = []
        venue.exchange.listen(events.append)
        go_on(venue, clock, 20)
        heard.append(events)
    assert len(heard[0]) > 100
    assert heard[0] == heard[1]


def test_a_state_without_makers_can_be_restored(spec: SimulatorSpec) -> None:
    clock = HandClock()
    first = prepare(SimulatorLaunch(spec=spec, seed=5), clock)
    go_on(first, clock, 20)
    again = prepare(SimulatorLaunch(spec=spec, seed=5, saved=first.exchange.save()), clock)
    for before, after in zip(first.makers, again.makers, strict=True):
        assert abs(before.price / after.price - 1) < Decimal("1e-6")
    go_on(again, clock, 20)
    again.exchange.check_invariants()


@pytest.mark.parametrize(
    "change",
    [{"tides": "noon"}, {"makers": {"BTC/USD": {}}}, {"makers": {"BTC/USD": {"settings": {"levels": 0}, "way": {}}}}],
)
def test_a_damaged_state_is_refused(spec: SimulatorSpec, change: dict[str, Any]) -> None:
    saved = prepare(SimulatorLaunch(spec=spec), HandClock()).save() | change
    with pytest.raises(InvalidValue, match="saved state: "):
        prepare(SimulatorLaunch(spec=spec, saved=saved), HandClock())


def test_a_market_of_the_asset_that_all_is_counted_in_has_a_maker_too(spec: SimulatorSpec) -> None:
    first, *others = spec.markets
    odd = attrs.evolve(first, instrument=attrs.evolve(first.instrument, symbol=Symbol("USD", "BTC"), min_cost=None))
    venue = prepare(SimulatorLaunch(spec=attrs.evolve(spec, markets=[first, odd, *others])), HandClock())
    assert venue.exchange.book(Symbol("USD", "BTC"))[0]


def go_on(venue: PreparedSimulator, clock: HandClock, steps: int) -> None:
    for _ in range(steps):
        clock.advance(0.25)
        for maker in venue.makers:
            maker.step(clock.now())


async def test_what_venues_that_run_together_have_in_common_begins_at_once(spec: SimulatorSpec) -> None:
    wanted = {"one": SimulatorLaunch(spec=spec, seed=1), "two": SimulatorLaunch(spec=spec, seed=2)}
    async with launch(wanted, clock=ManualClock()) as running:
        assert running["one"].made.tides is running["two"].made.tides
