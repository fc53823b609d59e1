"""What Kraken Spot is known to send over WebSocket v2: frames by channel, answers to requests by method.

See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange_core.connector.shapes import ANYTHING, Each, Either, Known, Record, Shape, record, words
from kraken_spot import errors, naming
from kraken_spot.feed.account import EXEC_TYPES
from kraken_spot.parse import common as parse
from kraken_spot.parse import feed as parse_feed
from kraken_spot.types.history import LedgerType, SpotOrderType
from kraken_spot.wire import feed as wire_feed

KINDS = words("snapshot update")
SIDES = words(parse.SIDES)
TYPES = words(SpotOrderType)
PRICE_TYPES = words("static pct quote")
WALLET_IDS = words("main flex bonded flexible liquid locked closed")
WALLET_TYPES = words("spot earn")

_TRIGGERS = record(
    wire_feed.Triggers,
    also="peak_price last_price timestamp",
    reference=words("last index"),
    price_type=PRICE_TYPES,
    status=words("triggered untriggered"),
)
_CONTINGENT = record(
    also="trigger_price limit_price",
    order_type=TYPES,
    trigger_price_type=PRICE_TYPES,
    limit_price_type=PRICE_TYPES,
)
EXECUTION = record(
    wire_feed.Execution,
    also="display_qty_remain effective_time margin no_mpp amended trade_id"
    " fee_usd_equiv margin_borrow ext_ord_id ext_exec_id sender_sub_id user"
    " cancel_reason stop_price trigger triggered_price",
    exec_type=words(EXEC_TYPES),
    order_status=words(parse_feed.ORDER_STATUSES),
    side=SIDES,
    order_type=TYPES,
    limit_price_type=PRICE_TYPES,
    time_in_force=words("gtc gtd ioc fok", folded=True),
    liquidity_ind=words(parse_feed.LIQUIDITY),
    fee_ccy_pref=words("fcib fciq"),
    position_status=words("opened closing closed"),
    triggers=_TRIGGERS,
    contingent=_CONTINGENT,
)
BALANCE = record(
    wire_feed.BalanceData,
    also="user",
    wallets=Each(record(wire_feed.Wallet, type_=WALLET_TYPES, id=WALLET_IDS)),
    type_=words(LedgerType, "reserve creator_fee"),
    subtype=words("spotfromfutures spottofutures stakingfromspot spotfromstaking stakingtospot spottostaking"),
    category=words(
        "deposit withdrawal trade margin-trade margin-settle margin-conversion conversion credit marginrollover"
        " staking-rewards instant equity-trade airdrop equity-dividend reward-bonus nft block-trade"
    ),
    wallet_type=WALLET_TYPES,
    wallet_id=WALLET_IDS,
)
INSTRUMENTS = record(
    wire_feed.InstrumentData,
    pairs=Each(
        record(
            wire_feed.Pair,
            also="cost_precision has_index marginable margin_initial position_limit_long position_limit_short tick_size"
            " execution_venue",
            status=words(naming.STATUSES, naming.CLOSED),
        )
    ),
    assets=Each(
        record(
            also="id precision precision_display borrowable collateral_value margin_rate multiplier class",
            status=words(status.replace("_", "") for status in naming.ASSET_STATUSES),
        )
    ),
)

CHANNELS: Mapping[str, Shape] = {
    "book": record(wire_feed.Book, type_=KINDS),
    "level3": record(
        wire_feed.Orders,
        type_=KINDS,
        data=Each(
            record(
                wire_feed.OrdersData,
                bids=Each(record(wire_feed.OrderData, event=words("add modify delete"))),
                asks=Each(record(wire_feed.OrderData, event=words("add modify delete"))),
            )
        ),
    ),
    "ticker": record(
        wire_feed.Ticker, type_=KINDS, data=Each(record(wire_feed.TickerData, also="change change_pct trades"))
    ),
    "trade": record(
        wire_feed.Trade, type_=KINDS, data=Each(record(wire_feed.TradeData, side=SIDES, ord_type=words("limit market")))
    ),
    "ohlc": record(wire_feed.Candle, type_=KINDS, data=Each(record(wire_feed.CandleData, also="timestamp"))),
    "instrument": record(wire_feed.Instrument, type_=KINDS, data=INSTRUMENTS),
    "status": record(
        wire_feed.Status,
        also="type",
        data=Each(
            record(
                wire_feed.StatusData,
                also="api_version connection_id version upcoming_maintenance emergency",
                system=words(parse_feed.STATES),
            )
        ),
    ),
    "heartbeat": record(wire_feed.Heartbeat),
    "executions": record(wire_feed.Executions, type_=KINDS, data=Each(EXECUTION)),
    "balances": record(wire_feed.Balances, type_=KINDS, data=Each(BALANCE)),
}

_PLACED = record(also="order_id order_userref cl_ord_id error warnings")
_SUBSCRIBED = record(
    wire_feed.SubscribeResult,
    also="snapshot snap_orders snap_trades order_status ratecounter rebased warnings",
    channel=words(CHANNELS),
    event_trigger=words("trades bbo"),
)
METHODS: Mapping[str, Shape] = {
    "subscribe": _SUBSCRIBED,
    "unsubscribe": _SUBSCRIBED,
    "ping": ANYTHING,
    "pong": record(also="warnings"),
    "add_order": _PLACED,
    "amend_order": record(also="amend_id order_id cl_ord_id warnings"),
    "edit_order": record(also="order_id original_order_id order_userref warnings"),
    "cancel_order": record(also="order_id cl_ord_id warnings"),
    "cancel_all": record(also="count warnings"),
    "cancel_all_orders_after": record(also="currentTime triggerTime warnings"),
    "batch_add": Either(Record(frozenset(), {}), Each(_PLACED)),
    "batch_cancel": record(also="count warnings"),
}
# What is no code: the server speaks of the request itself. What follows is about a field, a pair or a host.
_SENTENCES = (
    "Unsupported ",
    "Already subscribed",
    "Subscription Not Found",
    "Currency pair not supported",
    "Token(s) not found",
    "Private data and trading are unavailable",
    "Public market data subscriptions are unavailable",
    "Exceeded msg rate",
)


def _is_known_error(text: str) -> bool:
    is_code = text[:1] in "EW" and ":" in text[:12]
    return errors.is_known(text) if is_code else text.startswith(_SENTENCES) or " field must be a " in text


_ERROR = Known(_is_known_error)
_ANSWERS = {
    method: record(wire_feed.Response, also="time_in warnings status", result=result, error=_ERROR)
    for method, result in METHODS.items()
}


def frame(value: Any) -> tuple[str, Shape | None]:
    """Name a frame and return its shape, if it is of a kind that is known."""
    if isinstance(value, list):
        is_legacy = len(value) >= 4 and isinstance(value[-2], str) and isinstance(value[0], int)
        return "array", ANYTHING if is_legacy else None
    if not isinstance(value, dict):
        return "no object", None
    if "method" in value:
        method = str(value["method"])[:40]
        return method, _ANSWERS.get(method)
    if "channel" in value:
        channel = str(value["channel"])[:40]
        known = CHANNELS.get(channel)
        return (f"channel {channel}", None) if known is None else (channel, known)
    # The first is WebSocket v1's, the second what is sent to those who ask too fast.
    return "frame", ANYTHING if isinstance(value.get("event"), str) or "Error" in value else None
