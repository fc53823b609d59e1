"""Recorded calls of ``operations.trading``, played back: orders of every type, batches, changes and cancels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import InsufficientFunds, OrderNotFound
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.orders.prices import RelativePrice
from kraken_spot.orders.terms import Amendment, ConditionalClose, Edit, SpotOrder
from kraken_spot.types.history import OrderRecord
from kraken_spot.types.trading import Canceled, DeadManSwitch, Edited, NotPlaced, Placed, Validated

BTC = Symbol("BTC", "USD")
NOW = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)
UNKNOWN = "OAAAAA-AAAAA-AAAAAA"
CLOSE = ConditionalClose(type="stop-loss-limit", trigger_price="82000", limit_price="81900")
CLOSES = "close position @ stop loss 82000.0 -> limit 81900.0"


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def order(number: int, side: str, quantity: str, price: str | None = None, **terms: Any) -> SpotOrder:
    kind = {"type": "market" if price is None else "limit", "client_order_id": client_id(number)}
    return SpotOrder(symbol=BTC, side=side, quantity=quantity, **{"limit_price": price, **kind, **terms})


PARENT = order(1, "buy", "0.01", "83000", close=CLOSE, deadline=NOW + timedelta(seconds=5))


async def test_an_order_with_a_conditional_close(player: CassettePlayer) -> None:
    assert await player.run("trading.add", lambda do: do.trading.add(PARENT)) == Placed(
        order=PARENT,
        id="OII5DX-XYF25-ME4K4R",
        description="buy 0.01000000 XBTUSD @ limit 83000.0",
        close_description=CLOSES,
    )


TYPES: dict[str, tuple[int, dict[str, Any], str, str]] = {
    "stop_loss": (
        10,
        {"type": "stop-loss", "trigger_price": "80000", "trigger": "index"},
        "OWLYNY-FMGXF-CZKJPD",
        "stop loss 80000.0",
    ),
    "stop_loss_limit": (
        11,
        {"type": "stop-loss-limit", "trigger_price": "80000", "limit_price": "79900"},
        "OA4L7U-4TBHI-66VJKG",
        "stop loss 80000.0 -> limit 79900.0",
    ),
    "take_profit": (
        12,
        {"type": "take-profit", "trigger_price": "90000"},
        "OVMSFR-CMQ7P-UGWDYM",
        "take profit 90000.0",
    ),
    "take_profit_limit": (
        13,
        {"type": "take-profit-limit", "trigger_price": "90000", "limit_price": "-1%"},
        "O7SADT-DXHIO-MQBYGU",
        "take profit 90000.0 -> limit 83169.9",  # counted from the last price, 84010
    ),
    "trailing_stop": (
        14,
        {"type": "trailing-stop", "trigger_price": "+2%"},
        "OMADII-I4KRR-QN6QS3",
        "trailing stop +2.0000%",
    ),
    "trailing_stop_limit": (
        15,
        {"type": "trailing-stop-limit", "trigger_price": "+500", "limit_price": "-10"},
        "O7DUOZ-UCRTV-Y6BM56",
        "trailing stop +500.0 -> limit -10.0",
    ),
    "iceberg": (
        16,
        {"type": "iceberg", "limit_price": "85000", "display_quantity": "0.01"},
        "OFMP7F-3PRTT-BN6PNJ",
        "iceberg 85000.0",
    ),
    "gtd": (
        17,
        {"type": "limit", "limit_price": "85000", "time_in_force": "GTD", "expire": timedelta(seconds=600)},
        "OQMTJL-QJPUI-R5JVWX",
        "limit 85000.0",
    ),
    "later": (
        18,
        {"type": "limit", "limit_price": "85000", "start": timedelta(seconds=600)},
        "OJAAYH-SBUFN-YVMB4K",
        "limit 85000.0",
    ),
}


@pytest.mark.parametrize("name", TYPES)
async def test_an_order_of_every_type(player: CassettePlayer, name: str) -> None:
    number, terms, txid, description = TYPES[name]
    wanted = order(number, "sell", "0.05", **terms)
    placed = await player.run(f"trading.add.{name}", lambda do: do.trading.add(wanted))
    assert (placed.id, placed.close_description) == (txid, None)
    assert placed.description == f"sell 0.05000000 XBTUSD @ {description}"


async def test_an_order_for_an_amount_of_money(player: CassettePlayer) -> None:
    wanted = order(19, "buy", "50", quantity_in_quote=True)
    placed = await player.run("trading.add.market_in_quote", lambda do: do.trading.add(wanted))
    assert (placed.id, placed.description) == ("OXMBS7-X6KCZ-4HNXPI", "buy 50.00000 XBTUSD @ market")


async def test_orders_of_every_type_as_the_venue_lists_them(player: CassettePlayer) -> None:
    found = await player.run("trading.add.open", lambda do: do.history.open_orders())
    assert not found.unreadable
    of: dict[str, OrderRecord] = {one.id: one for one in found.items}
    assert set(of) == {"OII5DX-XYF25-ME4K4R", *(txid for _, _, txid, _ in TYPES.values())}
    named = {name: of[txid] for name, (_, _, txid, _) in TYPES.items()}
    assert {name: str(one.type) for name, one in named.items()} == {
        name: terms["type"] for name, (_, terms, _, _) in TYPES.items()
    }
    assert all((one.side, one.quantity, one.filled) == (Side.SELL, Decimal("0.05"), 0) for one in named.values())
    assert (named["stop_loss"].price, named["stop_loss"].stop_price) == (80_000, 80_000)
    assert [named[name].trigger for name in ("stop_loss", "take_profit")] == ["index", "last"]
    assert (named["stop_loss_limit"].price, named["stop_loss_limit"].price2) == (80_000, 79_900)
    assert named["trailing_stop"].price == RelativePrice("+", Decimal("2.0000"), percent=True)
    assert named["trailing_stop"].stop_price == Decimal("82329.8")  # 84010 less two percent
    assert named["trailing_stop_limit"].stop_price == 83_510
    assert (named["gtd"].time_in_force, named["gtd"].expires) == ("gtd", NOW + timedelta(minutes=10))
    assert named["later"].starts == NOW + timedelta(minutes=10)
    assert of["OII5DX-XYF25-ME4K4R"].close_description == CLOSES


async def test_an_order_without_the_funds_for_it(player: CassettePlayer) -> None:
    wanted = order(30, "sell", "50", "85000")
    with pytest.raises(InsufficientFunds) as refused:
        await player.run("trading.add.refused", lambda do: do.trading.add(wanted))
    assert refused.value.codes == ("EOrder:Insufficient funds",)


async def test_a_check_places_nothing(player: CassettePlayer) -> None:
    wanted = order(31, "buy", "0.01", "83000", close=CLOSE)
    assert await player.run("trading.validate", lambda do: do.trading.validate(wanted)) == Validated(
        order=wanted, description="buy 0.01000000 XBTUSD @ limit 83000.0", close_description=CLOSES
    )
    too_much = order(32, "sell", "50", "85000")
    with pytest.raises(InsufficientFunds):
        await player.run("trading.validate.refused", lambda do: do.trading.validate(too_much))


BATCH = [
    order(41, "buy", "0.01", "82000"),
    order(42, "sell", "50", "85000"),
    order(0, "buy", "0.01", "82500", client_order_id=None, userref=9),
]


async def test_a_batch_of_which_one_fails(player: CassettePlayer) -> None:
    result = await player.run("trading.add_batch", lambda do: do.trading.add_batch(BATCH))
    first, failed, last = result.items
    assert (first.order, first.id) == (BATCH[0], "OLPPLG-KKPXE-23CZDO")
    assert isinstance(failed, NotPlaced)
    assert isinstance(failed.error, InsufficientFunds)
    assert failed.error.codes == ("EOrder:Insufficient funds",)
    assert (last.order, last.id) == (BATCH[2], "OZ2T2Y-YGONX-IMZELE")


async def test_a_batch_is_checked(player: CassettePlayer) -> None:
    """The client id of the first stands on an open order by now."""
    known, fine = await player.run("trading.validate_batch", lambda do: do.trading.validate_batch(BATCH[::2]))
    assert isinstance(known, NotPlaced)
    assert known.error.codes == ("EGeneral:Invalid arguments:cl_ord_id",)
    assert fine == Validated(
        order=BATCH[2], description="buy 0.01000000 XBTUSD @ limit 82500.0", close_description=None
    )


CHANGE = Amendment(symbol=BTC, txid="OLPPLG-KKPXE-23CZDO", quantity="0.02", limit_price="82100")


async def test_an_amend(player: CassettePlayer) -> None:
    assert await player.run("trading.amend", lambda do: do.trading.amend(CHANGE)) == "TDO4KC-RCNSS-P2VOJ2"
    nobodys = attrs.evolve(CHANGE, txid=UNKNOWN)
    with pytest.raises(OrderNotFound):
        await player.run("trading.amend.refused", lambda do: do.trading.amend(nobodys))


EDIT = Edit(symbol=BTC, txid="OZ2T2Y-YGONX-IMZELE", type="limit", limit_price="82600", quantity="0.03", userref=10)


async def test_an_edit_makes_another_order(player: CassettePlayer) -> None:
    described = await player.run("trading.validate_edit", lambda do: do.trading.validate_edit(EDIT))
    assert described == "buy 0.03000000 XBTUSD @ limit 82600.0"
    assert await player.run("trading.edit", lambda do: do.trading.edit(EDIT)) == Edited(
        id="OYACJG-5VTCW-JPXYWK",
        replaced="OZ2T2Y-YGONX-IMZELE",
        quantity=Decimal("0.03"),
        price="82600.0",
        price2=None,
        userref=10,
        canceled=1,
        description=described,
    )
    with pytest.raises(OrderNotFound):
        await player.run("trading.edit.refused", lambda do: do.trading.edit(EDIT))


async def test_cancels_of_several(player: CassettePlayer) -> None:
    """Nobody has the userref 11, which is no error."""
    done = await player.run(
        "trading.cancel_batch",
        lambda do: do.trading.cancel_batch(
            txids=["OYACJG-5VTCW-JPXYWK"], client_order_ids=[client_id(41)], userrefs=[11], symbol=BTC
        ),
    )
    assert done == Canceled(count=2, pending=False)
    done = await player.run("trading.cancel_all", lambda do: do.trading.cancel_all())
    assert done == Canceled(count=10, pending=False)


async def test_a_dead_mans_switch(player: CassettePlayer) -> None:
    on = await player.run("trading.cancel_all_after", lambda do: do.trading.cancel_all_after(timedelta(seconds=60)))
    assert on == DeadManSwitch(time=NOW, fires=NOW + timedelta(minutes=1))
    off = await player.run("trading.cancel_all_after.off", lambda do: do.trading.cancel_all_after(timedelta(0)))
    assert off == DeadManSwitch(time=NOW, fires=None)
