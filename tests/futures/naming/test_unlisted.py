"""What the account has in contracts that are in no list: the lists are asked for again, and nothing is lost.

A list may be older than a contract, or the contract may have expired; what is listed nowhere is shown under a stand-in.
"""

import json
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.naming import UNLISTED
from exchange_core.connector.partial import left_out
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import BadRequest, TransportError, UnknownSymbol
from exchange_core.model.event import Event, PositionsUpdate, SequenceGap, Unrecognised
from exchange_core.model.fill import Fill
from exchange_core.model.symbol import Symbol
from kraken_futures.feed.connections import FuturesFeed
from kraken_futures.rest.operations import FuturesRest

NEW = {
    "symbol": "PF_NEWUSD",
    "type": "flexible_futures",
    "tickSize": 0.1,
    "contractSize": 1,
    "tradeable": True,
    "contractValueTradePrecision": 2,
    "base": "NEW",
    "quote": "USD",
}
OLD = {
    **NEW,
    "symbol": "FI_XBTUSD_220930",
    "type": "futures_inverse",
    "base": "BTC",
    "lastTradingTime": "2022-09-30T15:00:00.000Z",
    "isExpired": True,
}
GONE = {**NEW, "symbol": "PF_OLDBTC", "base": "BTC"}
"""A contract that is gone, and that would have the name of one that is traded."""
LISTS = ({"instruments": [NEW]}, {"tickers": []})
EXPIRED = {"instruments": [NEW, OLD, GONE]}
NOWHERE = "PV_XRPXBT/?:?"


def row(number: int, symbol: str) -> dict[str, Any]:
    return {
        "fill_id": f"f-{number}",
        "order_id": "o-1",
        "symbol": symbol,
        "side": "buy",
        "size": 2,
        "price": 2.5,
        "fillTime": f"2026-01-05T12:00:{number:02}.000Z",
        "fillType": "taker",
    }


def live(number: int, instrument: str) -> dict[str, Any]:
    return {
        "instrument": instrument,
        "time": 1767614400000 + number,
        "price": 2.5,
        "seq": number,
        "buy": True,
        "qty": 2.0,
        "order_id": "o-1",
        "cli_ord_id": None,
        "fill_id": f"f-{number}",
        "fill_type": "taker",
        "fee_paid": 0.01,
        "fee_currency": "USD",
    }


def say(feed: FuturesFeed, /, **frame: Any) -> list[Event]:
    return list(feed.receive(json.dumps(frame), 0.0))


def fills(feed: FuturesFeed, *rows: dict[str, Any], name: str = "fills") -> list[Event]:
    return say(feed, feed=name, username="u", fills=list(rows))


def told(events: Any) -> list[tuple[str, str]]:
    return [(event.id, str(event.symbol)) for event in events if isinstance(event, Fill)]


@pytest.fixture
def feed(private: FuturesFeed) -> FuturesFeed:
    private.opened(0.0)
    return private


# Asked for over REST.


def test_a_fill_of_a_new_contract_is_read_with_new_lists(rest: FuturesRest, run: Any) -> None:
    rows = [row(2, "PF_NEWUSD"), row(1, "PF_XBTUSD")]
    found, calls = run(rest.fills(None), {"fills": rows}, *LISTS)
    assert told(found) == [("f-1", "BTC/USD:USD"), ("f-2", "NEW/USD:USD")]
    assert [call.path.rpartition("/")[2] for call in calls] == ["fills", "instruments", "tickers"]
    assert not left_out(found)


def test_a_fill_of_a_contract_that_expired_has_its_name(rest: FuturesRest, run: Any, context: VenueContext) -> None:
    """Only the contract in question is taken from the list of those that have ended, and it is closed."""
    found, calls = run(rest.fills(None), {"fills": [row(1, "FI_XBTUSD_220930")]}, *LISTS, EXPIRED)
    assert told(found) == [("f-1", "BTC/USD:BTC-220930")]
    assert calls[-1].params == {"expired": True}
    assert context.symbols.instrument(found[0].symbol).is_closed
    assert run(rest.fills(None), {"fills": [row(1, "fi_xbtusd_220930")]})[0] == found


def test_one_that_is_gone_does_not_take_the_name_of_one_that_is_traded(
    rest: FuturesRest, run: Any, context: VenueContext
) -> None:
    found, _ = run(rest.fills(None), {"fills": [row(1, "PF_OLDBTC")]}, *LISTS, EXPIRED)
    assert told(found) == [("f-1", "PF_OLDBTC/?:?")]
    assert context.symbols.venue_id(Symbol.parse("BTC/USD:USD")) == "PF_XBTUSD"


def test_a_fill_of_what_is_listed_nowhere_is_told_under_a_stand_in(
    rest: FuturesRest, run: Any, context: VenueContext
) -> None:
    found, _ = run(rest.fills(None), {"fills": [row(1, "PV_XRPXBT")]}, *LISTS, EXPIRED)
    assert told(found) == [("f-1", NOWHERE)]
    assert (found[0].quantity, found[0].price) == (Decimal(2), Decimal("2.5"))
    assert not left_out(found)
    assert NOWHERE in rest.skipped["fill in PV_XRPXBT"]
    with pytest.raises(UnknownSymbol):
        context.symbols.instrument(found[0].symbol)


def test_the_lists_are_asked_for_once_for_what_they_lack(rest: FuturesRest, run: Any) -> None:
    run(rest.fills(None), {"fills": [row(1, "PV_XRPXBT")]}, *LISTS, EXPIRED)
    assert told(run(rest.fills(None), {"fills": [row(2, "PV_XRPXBT")]})[0]) == [("f-2", NOWHERE)]


@pytest.mark.parametrize(
    "answers", [(TransportError("lost"),), (*LISTS, TransportError("lost")), ({"instruments": []},)]
)
def test_while_the_lists_cannot_be_had_the_record_is_not_whole(rest: FuturesRest, run: Any, answers: Any) -> None:
    """So nobody takes it for complete, and it is asked for again."""
    rows = [row(2, "PV_XRPXBT"), row(1, "PF_XBTUSD")]
    found, _ = run(rest.fills(None), {"fills": rows}, *answers)
    assert told(found) == [("f-1", "BTC/USD:USD")]
    assert ["PV_XRPXBT" in why for why in left_out(found)] == [True]
    assert told(run(rest.fills(None), {"fills": rows}, *LISTS, EXPIRED)[0])[1] == ("f-2", NOWHERE)


def test_where_the_venue_tells_no_expired_contracts_fills_of_them_are_told(rest: FuturesRest, run: Any) -> None:
    found, _ = run(rest.fills(None), {"fills": [row(1, "PV_XRPXBT")]}, *LISTS, BadRequest("no such word"))
    assert told(found) == [("f-1", NOWHERE)]


def test_an_open_order_of_what_is_listed_nowhere_is_shown(rest: FuturesRest, run: Any) -> None:
    order = {
        "order_id": "o-1",
        "symbol": "PV_XRPXBT",
        "side": "buy",
        "orderType": "lmt",
        "limitPrice": 1.5,
        "unfilledSize": 3,
        "filledSize": 0,
        "status": "untouched",
        "reduceOnly": False,
    }
    (found,), _ = run(rest.open_orders(), {"openOrders": [order]}, *LISTS, EXPIRED)
    assert (str(found.symbol), found.venue_order_id, found.quantity) == (NOWHERE, "o-1", Decimal(3))


# Heard on the feed.


def test_a_fill_of_a_new_contract_waits_for_the_list_and_is_told_once(
    feed: FuturesFeed, rest: FuturesRest, run: Any
) -> None:
    first = fills(feed, live(1, "PF_NEWUSD"), live(2, "PF_XBTUSD"))
    assert told(first) == [("f-2", "BTC/USD:USD")]
    assert [event.kind for event in first if isinstance(event, Unrecognised)] == [UNLISTED]
    assert told(fills(feed, live(3, "PF_NEWUSD"))) == []
    assert told(feed.tick(1.0)) == []
    run(rest.instruments(), *LISTS)
    events = feed.tick(2.0)
    assert told(events) == [("f-1", "NEW/USD:USD"), ("f-3", "NEW/USD:USD")]
    assert [event.fee.amount for event in events if isinstance(event, Fill) and event.fee] == [Decimal("0.01")] * 2
    again = fills(feed, live(1, "PF_NEWUSD"), live(3, "PF_NEWUSD"), name="fills_snapshot")
    assert told([*again, *feed.tick(3.0)]) == []


def test_what_waited_comes_before_what_follows_it(feed: FuturesFeed, rest: FuturesRest, run: Any) -> None:
    fills(feed, live(1, "PF_NEWUSD"))
    run(rest.instruments(), *LISTS)
    assert [name for name, _ in told(fills(feed, live(2, "PF_NEWUSD")))] == ["f-1", "f-2"]


def test_a_fill_of_what_is_listed_nowhere_is_told_when_that_is_known(
    feed: FuturesFeed, rest: FuturesRest, run: Any
) -> None:
    fills(feed, live(1, "PV_XRPXBT"))
    run(rest.instruments(), *LISTS, EXPIRED)
    assert told(feed.tick(1.0)) == [("f-1", NOWHERE)]
    assert told(fills(feed, live(2, "PV_XRPXBT"))) == [("f-2", NOWHERE)]


def test_a_fill_that_waits_outlives_its_connection(feed: FuturesFeed, rest: FuturesRest, run: Any) -> None:
    fills(feed, live(1, "PF_NEWUSD"))
    feed.closed(1.0)
    feed.opened(2.0)
    run(rest.instruments(), *LISTS)
    snapshot = fills(feed, live(1, "PF_NEWUSD"), name="fills_snapshot")
    assert told([*snapshot, *feed.tick(3.0)]) == [("f-1", "NEW/USD:USD")]


def test_a_fill_that_does_not_read_does_not_wait(feed: FuturesFeed) -> None:
    events = fills(feed, {**live(1, "PF_NEWUSD"), "price": "much"})
    assert [type(event) for event in events] == [Unrecognised, SequenceGap]


def test_a_position_in_a_new_contract_makes_the_list_partial_until_it_has_a_name(
    feed: FuturesFeed, rest: FuturesRest, run: Any
) -> None:
    def positions() -> tuple[PositionsUpdate, list[Event]]:
        held = {"balance": 3.0, "entry_price": 2.0, "mark_price": 4.0, "pnl": 1.0}
        rows = [{"instrument": name, **held} for name in ("PF_XBTUSD", "PV_XRPXBT")]
        update, *others = say(feed, feed="open_positions", account="a", positions=rows, seq=4, timestamp=1)
        assert isinstance(update, PositionsUpdate)
        return update, others

    update, (unlisted,) = positions()
    assert ([str(each.symbol) for each in update.positions], update.complete) == (["BTC/USD:USD"], False)
    assert isinstance(unlisted, Unrecognised)
    assert unlisted.kind == UNLISTED
    run(rest.instruments(), *LISTS, EXPIRED)
    update, others = positions()
    assert [(str(each.symbol), each.quantity) for each in update.positions] == [("BTC/USD:USD", 3), (NOWHERE, 3)]
    assert (update.complete, others, update.positions[1].unrealised) == (True, [], None)


def test_a_stand_in_survives_being_written_down() -> None:
    assert Symbol.parse(NOWHERE) == Symbol("PV_XRPXBT", "?", "?")
    assert str(Symbol.parse(NOWHERE)) == NOWHERE
