"""An entry that does not read is left out of a list, and nobody takes it for gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.partial import Partial, left_out, listed
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import OrderNotFound, OutcomeUnknown, ProtocolError
from exchange_core.model.account import Balance
from exchange_core.model.order import OrderRequest
from exchange_core.portfolio.holdings import Holdings
from exchange_core.venue.resolver import ResolvePolicy

BUY = OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="100")


class Damage:
    """Whether lists lack something just now."""

    def __init__(self) -> None:
        self.on = True

    def spec(self, spec: VenueSpec, *names: str) -> VenueSpec:
        """Return *spec* with operations whose lists *names* lack an entry while the damage is on."""

        def make(context: Any) -> Any:
            operations = spec.rest(context)
            for name in names:
                setattr(operations, name, self._around(getattr(operations, name)))
            return operations

        return attrs.evolve(spec, rest=make)

    def _around(self, ask: Callable[..., Flow[list[Any]]]) -> Callable[..., Flow[list[Any]]]:
        def flow(*args: Any) -> Flow[list[Any]]:
            found = yield from ask(*args)
            return listed(found, ["order x: its side is 'hold'"] if self.on else ())

        return flow


@pytest.fixture
def damage() -> Damage:
    return Damage()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (what is waited for is a state that nobody announces)
            await asyncio.sleep(0.002)


def test_a_partial_list_says_what_it_lacks() -> None:
    found = listed([1, 2], ["three"])
    assert found == [1, 2]
    assert isinstance(found, Partial)
    assert left_out(found) == ("three",)
    assert left_out(listed([1], ())) == ()


async def test_open_orders_tell_that_one_is_left_out(make_venue: Any, without_feeds: VenueSpec, damage: Damage) -> None:
    async with make_venue(spec=damage.spec(without_feeds, "open_orders")) as venue:
        order = await venue.place(BUY)
        found = await venue.open_orders()
        assert [each.venue_order_id for each in found] == [order.venue_order_id]
        assert left_out(found)
        assert left_out(await venue.open_orders("BTC/USD"))


@pytest.mark.parametrize("symbol", [None, "BTC/USD"])
async def test_cancel_all_does_not_end_well_while_an_order_does_not_read(
    make_venue: Any, full_spec: VenueSpec, damage: Damage, symbol: str | None
) -> None:
    async with make_venue(spec=damage.spec(full_spec, "open_orders")) as venue:
        order = await venue.place(BUY)
        with pytest.raises(OutcomeUnknown, match="do not read"):
            await venue.cancel_all(symbol)
        assert (await venue.order(order)).is_final
        damage.on = False
        assert await venue.cancel_all(symbol) == []


async def test_an_id_that_may_be_of_an_order_that_does_not_read_is_not_unknown(
    make_venue: Any, without_feeds: VenueSpec, damage: Damage
) -> None:
    async with make_venue(spec=damage.spec(without_feeds, "open_orders")) as venue:
        with pytest.raises(ProtocolError, match="do not read"):
            await venue.cancel("V9")
        damage.on = False
        with pytest.raises(OrderNotFound):
            await venue.cancel("V9")


async def test_the_record_is_not_whole_without_a_fill_that_does_not_read(
    make_venue: Any, live_spec: VenueSpec, shop: Any, watched: None, damage: Damage
) -> None:
    policy = ResolvePolicy(audit=5.0)
    async with make_venue(spec=damage.spec(live_spec, "fills"), policy=policy) as venue:
        venue.fill_updates()
        await shop.asked()
        await until(lambda: shop.paths().count("/fills") >= 2)
        assert venue.fills_complete_until is None
        damage.on = False
        await until(lambda: venue.fills_complete_until is not None)
        before = venue.fills_complete_until
        damage.on = True
        asked = shop.paths().count("/fills")
        await until(lambda: shop.paths().count("/fills") >= asked + 3)
        held = venue.fills_complete_until
        await until(lambda: shop.paths().count("/fills") >= asked + 5)
        assert venue.fills_complete_until == held
        assert before is not None


def test_a_holding_that_does_not_read_stays_as_it_was() -> None:
    account = Holdings("shop")
    bitcoin, dollars = (Balance(asset=asset, total=Decimal(1), wallet="spot") for asset in ("BTC", "USD"))
    account._take([bitcoin, dollars], [])
    account._take(Partial([attrs.evolve(bitcoin, total=Decimal(2))], ["USD"]), [])
    assert {each.asset: each.total for each in account.balances.values()} == {"BTC": 2, "USD": 1}
    account._take([bitcoin], [])
    assert [each.asset for each in account.balances.values()] == ["BTC"]
