"""What the private feed tells of pairs that are in no list: it calls pairs as we do, so nothing has to wait."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from exchange_core.connector.naming import UNLISTED
from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import Event, Unrecognised
from exchange_core.model.fill import Fee, Fill
from kraken_spot.feed.connections import PrivateFeed
from kraken_spot.rest.operations import KrakenSpotRest

TXID = "OQCLML-BW3P3-BUCMWZ"


def told(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.id, str(event.symbol)) for event in events if isinstance(event, Fill)]


def execution(number: int, symbol: str, fee_asset: str = "USD") -> dict[str, Any]:
    return {
        "order_id": TXID,
        "order_status": "partially_filled",
        "exec_type": "trade",
        "exec_id": f"T{number}",
        "trade_id": number,
        "symbol": symbol,
        "side": "buy",
        "last_qty": 2,
        "last_price": 2.5,
        "liquidity_ind": "t",
        "cost": 5.0,
        "fees": [{"asset": fee_asset, "qty": 0.02}],
        "timestamp": f"2026-01-05T12:00:{number:02}.000Z",
    }


def say(feed: PrivateFeed, *rows: dict[str, Any], kind: str = "update", sequence: int = 1) -> list[Event]:
    message = {"channel": "executions", "type": kind, "sequence": sequence, "data": list(rows)}
    return list(feed.receive(json.dumps(message), 0.0))


def unlisted(events: list[Event]) -> list[str]:
    return [event.detail for event in events if isinstance(event, Unrecognised) and event.kind == UNLISTED]


def test_the_feed_tells_a_fill_of_a_new_pair_at_once_and_in_order(private: PrivateFeed) -> None:
    """And has the lists asked for again, for what else is to be known of the pair."""
    events = say(private, execution(1, "XBT2/USD"), execution(2, "BTC/USD"), execution(3, "XBT2/USD"))
    assert told(events) == [("T1", "XBT2/USD"), ("T2", "BTC/USD"), ("T3", "XBT2/USD")]
    assert len(unlisted(events)) == 1
    assert "XBT2/USD" in unlisted(events)[0]


def test_the_feed_asks_no_more_when_new_lists_came(
    private: PrivateFeed, rest: KrakenSpotRest, run: Any, lists: Any
) -> None:
    say(private, execution(1, "XBT2/USD"))
    assert unlisted(say(private, execution(2, "XBT2/USD"), sequence=2))
    run(rest.instruments(), *lists)
    events = say(private, execution(3, "XBT2/USD"), sequence=3)
    assert (told(events), unlisted(events)) == ([("T3", "XBT2/USD")], [])


def test_the_feed_tells_each_fill_once_though_its_pair_is_listed_meanwhile(
    private: PrivateFeed, rest: KrakenSpotRest, run: Any, lists: Any
) -> None:
    new = json.loads(lists[1])["result"]["MATICUSD"] | {"altname": "NEWUSD", "wsname": "NEW/USD", "base": "NEW"}
    say(private, execution(1, "NEW/USD"))
    run(rest.instruments(), {}, {"NEWUSD": new})
    events = say(private, execution(1, "NEW/USD"), execution(2, "NEW/USD"), kind="snapshot")
    assert told(events) == [("T2", "NEW/USD")]


def test_a_replay_asks_for_no_lists(make_context: Callable[..., VenueContext]) -> None:
    feed = PrivateFeed(make_context(listed=False, provisional=True))
    events = say(feed, execution(1, "NEW/USD"))
    assert (told(events), unlisted(events)) == ([("T1", "NEW/USD")], [])


def test_a_fee_in_an_asset_that_no_list_has_is_told_and_counted(private: PrivateFeed, context: VenueContext) -> None:
    (fill,) = (event for event in say(private, execution(1, "BTC/USD", "NOVEL")) if isinstance(event, Fill))
    assert fill.fee == Fee(asset="NOVEL", amount=Decimal("0.02"))
    assert context.assets.unknown == {"NOVEL": 1}
