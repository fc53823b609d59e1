"""What Kraken Futures is known to send over its WebSocket: data by feed, the rest by event.

See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange_core.connector.shapes import ANYTHING, Each, Known, Shape, record
from kraken_futures.documented.words import (
    FILL_KINDS,
    LOG_INFO,
    NOTICE_KINDS,
    ORDER_KINDS,
    PRIORITIES,
    REASONS,
    SIDES,
    SIGNALS,
    TRADE_KINDS,
    UNITS,
)
from kraken_futures.wire import feed as wire
from kraken_futures.wire.history import LogRow

_GREEKS = record(also="iv delta theta gamma vega rho")
_TRADE = record(wire.Trade, side=SIDES, type_=TRADE_KINDS)
_ORDER = record(
    wire.OpenOrder,
    also="time",
    type_=ORDER_KINDS,
    triggerSignal=SIGNALS,
    trailing_stop_options=record(also="max_deviation", unit=UNITS),
)
_FILL = record(
    wire.FillRow,
    also="remaining_order_qty",
    fill_type=FILL_KINDS,
    taker_order_type=ORDER_KINDS,
    order_type=ORDER_KINDS,
)
_POSITION = record(
    wire.PositionRow,
    also="pnl index_price effective_leverage return_on_equity initial_margin_with_orders pnl_currency"
    " iv delta gamma vega theta rho max_fixed_leverage",
)
_SUMS = (
    "balance_value portfolio_value collateral_value initial_margin initial_margin_without_orders maintenance_margin pnl"
    " unrealized_funding total_unrealized total_unrealized_as_margin margin_equity available_margin"
    " total_position_size effective_leverage"
)
_BALANCES = record(
    wire.Balances,
    also="timestamp futures_cash_value futures_upnl_cash_value",
    futures=Each(
        record(
            wire.MarginAccount,
            also="name portfolio_value maintenance_margin initial_margin unrealized_funding pnl cash_value",
        )
    ),
    flex_futures=record(
        wire.FlexFutures,
        also=f"{_SUMS} unified_balances",
        currencies=Each(record(wire.FlexCurrency, also="value collateral_value haircut conversion_spread")),
        isolated=Each(record(also=_SUMS)),
        cross=record(also=_SUMS),
        portfolio_margin_breakdown=record(
            also="market_risk abs_options_delta net_position_delta futures_maintenance_margin"
        ),
    ),
)
_LOG = record(LogRow, info=LOG_INFO)
_NOTICE = record(wire.NoticeRow, type_=NOTICE_KINDS, priority=PRIORITIES)
_ORDERS_SNAPSHOT = record(wire.OpenOrdersSnapshot, also="account", orders=Each(_ORDER))
_ORDERS = record(wire.OpenOrders, also="account", order=_ORDER, reason=REASONS)

FEEDS: Mapping[str, Shape] = {
    "book": record(wire.BookDelta, side=SIDES),
    "book_snapshot": record(wire.BookSnapshot, also="tickSize"),
    "trade": _TRADE,
    "trade_snapshot": record(wire.TradeSnapshot, trades=Each(_TRADE)),
    "ticker": record(
        wire.Ticker,
        also="pair open premium change volumeQuote funding_rate funding_rate_prediction dtm maturityTime leverage",
        greeks=_GREEKS,
    ),
    "ticker_lite": record(wire.TickerLite, also="change premium tag pair dtm maturityTime volumeQuote", greeks=_GREEKS),
    "heartbeat": record(also="feed time"),
    "open_orders": _ORDERS,
    "open_orders_snapshot": _ORDERS_SNAPSHOT,
    "open_orders_verbose": _ORDERS,
    "open_orders_verbose_snapshot": _ORDERS_SNAPSHOT,
    "fills": record(wire.Fills, also="account username", fills=Each(_FILL)),
    "fills_snapshot": record(wire.FillsSnapshot, also="account username", fills=Each(_FILL)),
    "open_positions": record(wire.OpenPositions, also="account seq timestamp", positions=Each(_POSITION)),
    "balances": _BALANCES,
    "balances_snapshot": _BALANCES,
    "account_log": record(wire.AccountLog, new_entry=_LOG),
    "account_log_snapshot": record(wire.AccountLogSnapshot, also="account", logs=Each(_LOG)),
    "notifications_auth": record(wire.Notifications, notifications=Each(_NOTICE)),
    # Names of before 2026 that nobody asks for.
    "account_balances_and_margins": ANYTHING,
    "deposits_withdrawals": ANYTHING,
}

_MESSAGES = (
    "Invalid product id",
    "Invalid feed",
    "Json Error",
    "Bad Request",
    "Bad websocket message",
    "Couldn't subscribe to invalid feed",
    "Failed to subscribe to authenticated feed",
    "Already subscribed to feed, re-requesting",
)
_ANSWER = record(also="event feed product_ids product_id api_key original_challenge signed_challenge message")
_NEWS = record(also="event feed product_ids", message=Known(lambda text: text.startswith(_MESSAGES)))

EVENTS: Mapping[str, Shape] = {
    "info": record(also="event version"),
    "pong": record(also="event time"),
    "challenge": _ANSWER,
    "subscribed": _ANSWER,
    "unsubscribed": _ANSWER,
    "subscribed_failed": _ANSWER,
    "unsubscribed_failed": _ANSWER,
    "error": _NEWS,
    "alert": _NEWS,
    # Requests, which recordings of the documentation hold too.
    "subscribe": _ANSWER,
    "unsubscribe": _ANSWER,
}


def frame(value: Any) -> tuple[str, Shape | None]:
    """Name a frame and return its shape, if it is of a kind that is known."""
    if not isinstance(value, dict):
        return "no object", None
    for key, known in (("event", EVENTS), ("feed", FEEDS)):
        word = value.get(key)
        if isinstance(word, str):
            name = word.strip()[:60]
            shape = known.get(name)
            return (f"{key} {name}", None) if shape is None else (name, shape)
    return "neither feed nor event", None
