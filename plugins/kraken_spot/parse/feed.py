"""What frames of WebSocket v2 mean: one pure function each, from the venue's records to the model.

See https://docs.kraken.com/api/docs/websocket-v2/ticker, /trade, /ohlc, /instrument, /status and /executions
"""

from __future__ import annotations

from decimal import Decimal

from exchange_core.connector.naming import SymbolMap
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.event import StatusUpdate, VenueState
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.number import total
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_spot.naming import check_decimals
from kraken_spot.naming import status as instrument_status
from kraken_spot.parse.common import number, side
from kraken_spot.wire import feed as wire

ORDER_STATUSES = {
    "pending_new": OrderStatus.PENDING,
    "new": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
}

STATES = {state.value: state for state in VenueState}

LIQUIDITY = {"m": Liquidity.MAKER, "t": Liquidity.TAKER}


def symbol(name: str, symbols: SymbolMap) -> Symbol:
    """Return our name for a pair; v2 spells pairs as we do, so one that no list names can be read too.

    Raises:
        ProtocolError: When it is no name of a pair.
    """
    known = symbols.get(name)
    if known is not None:
        return known
    try:
        return Symbol.parse(name)
    except InvalidValue as error:
        raise ProtocolError(str(error)) from None


def ticker(raw: wire.TickerData, of: Symbol) -> Ticker:
    return Ticker(
        symbol=of,
        bid=_maybe(raw.bid, "bid"),
        bid_quantity=_maybe(raw.bid_qty, "bid_qty"),
        ask=_maybe(raw.ask, "ask"),
        ask_quantity=_maybe(raw.ask_qty, "ask_qty"),
        last=_maybe(raw.last, "last"),
        low=_maybe(raw.low, "low"),
        high=_maybe(raw.high, "high"),
        volume=_maybe(raw.volume, "volume"),
        vwap=_maybe(raw.vwap, "vwap"),
        time=None if raw.timestamp is None else from_rfc3339(raw.timestamp),
    )


def trade(raw: wire.TradeData, of: Symbol) -> Trade:
    return Trade(
        symbol=of,
        id=str(raw.trade_id),
        side=side(raw.side),
        price=number(raw.price, "price"),
        quantity=number(raw.qty, "qty"),
        time=from_rfc3339(raw.timestamp),
    )


def candle(raw: wire.CandleData, of: Symbol) -> Candle:
    return Candle(
        symbol=of,
        interval=raw.interval,
        start=from_rfc3339(raw.interval_begin),
        open=number(raw.open, "open"),
        high=number(raw.high, "high"),
        low=number(raw.low, "low"),
        close=number(raw.close, "close"),
        volume=number(raw.volume, "volume"),
        vwap=_maybe(raw.vwap, "vwap"),
        count=None if raw.trades is None else int(number(raw.trades, "trades")),
    )


def instrument(raw: wire.Pair, known: Instrument | None) -> Instrument:
    """Return the rules of a pair; one that REST has not listed yet is asked for by its display name.

    Raises:
        InvalidValue: For steps or minimums that are no positive numbers.
    """
    check_decimals(price_precision=raw.price_precision, qty_precision=raw.qty_precision)
    return Instrument(
        symbol=Symbol.parse(raw.symbol),
        venue_id=raw.symbol if known is None else known.venue_id,
        tick_size=number(raw.price_increment, "price_increment"),
        lot_size=number(raw.qty_increment, "qty_increment"),
        min_quantity=number(raw.qty_min, "qty_min") or number(raw.qty_increment, "qty_increment"),
        min_cost=_maybe(raw.cost_min, "cost_min") or None,
        price_decimals=raw.price_precision,
        quantity_decimals=raw.qty_precision,
        status=instrument_status(raw.status),
        is_tokenized=known is not None and known.is_tokenized,
    )


def status(raw: wire.StatusData) -> StatusUpdate:
    """Read what the venue as a whole accepts; a word that no page lists is taken as maintenance."""
    return StatusUpdate(state=STATES.get(raw.system, VenueState.MAINTENANCE), text=raw.system)


def fill(raw: wire.Execution, of: Symbol, direction: Side, client_order_id: str | None, venue: str) -> Fill:
    """Read an execution of kind ``trade``.

    Raises:
        ProtocolError: When it lacks what makes a fill.
    """
    if raw.exec_id is None or raw.last_price is None or raw.last_qty is None:
        raise ProtocolError(f"execution of order {raw.order_id}: a trade without id, price or quantity")
    return Fill(
        id=raw.exec_id,
        symbol=of,
        side=direction,
        price=number(raw.last_price, "last_price"),
        quantity=number(raw.last_qty, "last_qty"),
        time=from_rfc3339(raw.timestamp),
        venue=venue,
        venue_order_id=raw.order_id,
        client_order_id=client_order_id,
        cost=None if raw.cost is None else number(raw.cost, "cost"),
        fee=fee(raw.fees),
        liquidity=LIQUIDITY.get(raw.liquidity_ind or ""),
        kind="liquidated" if raw.liquidated else "",
        position=raw.position_status or "",
    )


def fee(raw: list[wire.FeeData] | None) -> Fee | None:
    """Return the fee; None where it is not told, or is told in several assets, which one Fee cannot say."""
    assets = {entry.asset for entry in raw or ()}
    if len(assets) != 1:
        return None
    return Fee(asset=assets.pop(), amount=total(number(entry.qty, "fee") for entry in raw or ()))


def _maybe(value: Decimal | None, what: str) -> Decimal | None:
    return None if value is None else number(value, what)
