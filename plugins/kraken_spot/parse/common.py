"""What REST answers mean: one pure function each, from the venue's records to the model.

See https://docs.kraken.com/api-reference/account-data/ and https://docs.kraken.com/exchange/guides/general/order-lifecycle
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from typing import TypeVar

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.errors import ProtocolError
from exchange_core.model.account import Balance, FeeRates
from exchange_core.model.book import BookSnapshot
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.number import EXACT
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_seconds
from kraken_spot.naming import account_symbol, balance_asset, usable
from kraken_spot.orders.prices import Price
from kraken_spot.orders.prices import price as price_of
from kraken_spot.parse import terms as parse_terms
from kraken_spot.wire import common as wire

V = TypeVar("V")

NO_ID = (None, "", "None")
"""What is shown where there is no order to name."""

_MAGNITUDE = 40

SIDES = {"buy": Side.BUY, "b": Side.BUY, "sell": Side.SELL, "s": Side.SELL}

STATUSES = {
    "pending": OrderStatus.PENDING,
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
}


def number(value: Decimal, what: str) -> Decimal:
    """Return *value*, refusing NaN, infinities, and what is too large or small to be money or time."""
    if not value.is_finite() or not -_MAGNITUDE < value.adjusted() < _MAGNITUDE:
        raise ProtocolError(f"{what}: {value} is not a number that can be used")
    return value


def moment(value: Decimal | int, what: str = "time") -> datetime:
    """Read epoch seconds."""
    return from_seconds(number(Decimal(value), what))


def side(word: str) -> Side:
    """Read ``buy``, ``sell``, ``b`` or ``s``."""
    found = SIDES.get(word)
    if found is None:
        raise ProtocolError(f"side: {word!r} is neither buy nor sell")
    return found


def only(answer: Mapping[str, V], what: str) -> V:
    """Return the one entry of an answer about one pair, which may stand under any of the pair's names."""
    entries = [value for name, value in answer.items() if name != "last"]
    if len(entries) != 1:
        raise ProtocolError(f"{what}: expected one pair in the answer, found {len(entries)}")
    return entries[0]


def ticker(raw: wire.Ticker, symbol: Symbol) -> Ticker:
    """A pair that never traded shows zeros; those are no prices."""
    try:
        return Ticker(
            symbol=symbol,
            bid=some_price(raw.b[0]),
            bid_quantity=number(raw.b[2], "bid volume"),
            ask=some_price(raw.a[0]),
            ask_quantity=number(raw.a[2], "ask volume"),
            last=some_price(raw.c[0]),
            low=some_price(raw.l[1]),
            high=some_price(raw.h[1]),
            volume=number(raw.v[1], "volume"),
            vwap=some_price(raw.p[1]),
        )
    except IndexError:
        raise ProtocolError(f"{symbol}: ticker with too few values") from None


def some_price(value: Decimal) -> Decimal | None:
    """Return a price; what never traded has one of zero, which is none."""
    return number(value, "price") or None


def book(raw: wire.Depth, symbol: Symbol) -> BookSnapshot:
    """Best levels come first on both sides; the time is that of the newest level."""
    times = [row.time for row in (*raw.bids, *raw.asks)]
    return BookSnapshot(
        symbol=symbol,
        bids=tuple(_levels(raw.bids)),
        asks=tuple(_levels(raw.asks)),
        time=moment(max(times)) if times else None,
    )


def _levels(rows: Iterable[wire.DepthRow]) -> Iterable[Level]:
    return (Level(number(row.price, "price"), number(row.volume, "volume")) for row in rows)


def trade(row: wire.TradeRow, symbol: Symbol) -> Trade:
    return Trade(
        symbol=symbol,
        id=str(row.trade_id),
        side=side(row.side),
        price=number(row.price, "price"),
        quantity=number(row.volume, "volume"),
        time=moment(row.time),
    )


def candle(row: wire.CandleRow, symbol: Symbol, interval: int, *, closed: bool) -> Candle:
    """An empty bar has a vwap of zero, which is none."""
    return Candle(
        symbol=symbol,
        interval=interval,
        start=moment(row.time),
        open=number(row.open, "open"),
        high=number(row.high, "high"),
        low=number(row.low, "low"),
        close=number(row.close, "close"),
        volume=number(row.volume, "volume"),
        vwap=some_price(row.vwap),
        count=row.count,
        closed=closed,
    )


def pair(name: str, symbols: SymbolMap) -> Symbol:
    """Return our name for a pair of an order or a fill; a stand-in for one that is listed nowhere.

    Raises:
        ProtocolError: It is in no list, and these may only be older than it.
    """
    symbol = account_symbol(symbols, name)
    if symbol is None:
        raise ProtocolError(f"the pair {name!r} is in no list of the venue's, and new lists are not to be had")
    return symbol


def order(txid: str, raw: wire.Order, symbols: SymbolMap, venue: str, of: Symbol | None = None) -> Order:
    """Read an order record; a kind that we do not send shows as what it becomes, with the venue's words as reason.

    One for an amount of the quote asset has no quantity.

    Args:
        of: Its pair, where that is known whatever the record calls it.

    Raises:
        ProtocolError: For what does not read as documented, and for a pair that is in no list as long as new lists
            are not to be had.
    """
    symbol = pair(raw.descr.pair, symbols) if of is None else of
    filled = number(raw.vol_exec, "vol_exec")
    status = _status(txid, raw.status, filled)
    request = _request(txid, raw, symbol)
    return Order(
        request=request,
        venue=venue,
        status=status,
        venue_order_id=txid,
        client_order_id=raw.cl_ord_id or None,
        filled=filled,
        average_price=(number(raw.price, "price") or None) if filled else None,
        spent=None if request.quote_amount is None else _spent(raw, filled),
        fees=_order_fees(raw, symbol),
        reason=raw.reason,
        created=moment(raw.opentm) if raw.opentm else None,
        updated=moment(raw.closetm) if raw.closetm else None,
    )


def _request(txid: str, raw: wire.Order, symbol: Symbol) -> OrderRequest:
    kind, descr = raw.descr.ordertype, raw.descr
    prices = [_ordered(text) for text in (descr.price, descr.price2)]
    limit, trigger = prices if kind in ("limit", "iceberg") else reversed(prices)
    volume, in_quote = number(raw.vol, "vol"), "viqc" in raw.oflags.split(",")
    try:
        return parse_terms.request(
            parse_terms.Shown(
                symbol=symbol,
                side=side(descr.type),
                kind=kind,
                quantity=None if in_quote else volume,
                quote_amount=volume if in_quote else None,
                limit=limit,
                limit_now=number(raw.limitprice, "limitprice") or None if raw.limitprice is not None else None,
                trigger=trigger,
                fires_at=number(raw.stopprice, "stopprice") or None if raw.stopprice is not None else None,
                reference=raw.trigger,
                time_in_force=raw.time_in_force,
                expires=moment(raw.expiretm) if raw.expiretm else None,
                post_only="post" in raw.oflags.split(","),
                reduce_only=raw.reduce_only or False,
                leverage=_leverage(descr.leverage),
                client_order_id=raw.cl_ord_id or None,
                parent=None if raw.refid in NO_ID else raw.refid,
                userref=raw.userref or None,
            )
        )
    except ProtocolError as error:
        raise ProtocolError(f"order {txid}: {error}") from error


def _ordered(text: str) -> Price | None:
    """Read a price as it was ordered; of no price, all zeros are shown."""
    return price_of(text) if text.strip("0.") else None


def _leverage(text: str | None) -> int | None:
    times = (text or "").partition(":")[0]
    return int(times) if times.isascii() and times.isdigit() and int(times) else None


def _status(txid: str, word: str, filled: Decimal) -> OrderStatus:
    found = STATUSES.get(word)
    if found is None:
        raise ProtocolError(f"order {txid}: status {word!r} is none of {', '.join(STATUSES)}")
    return OrderStatus.PARTIALLY_FILLED if found is OrderStatus.OPEN and filled else found


def _spent(raw: wire.Order, filled: Decimal) -> Decimal | None:
    if raw.cost is None:
        return None if filled else Decimal(0)
    return number(raw.cost, "cost")


def _order_fees(raw: wire.Order, symbol: Symbol) -> tuple[Fee, ...]:
    # Open point: reports disagree on what fcib does, so with it the asset counts as not told.
    if "fcib" in raw.oflags or not raw.fee:
        return ()
    return (Fee(asset=symbol.quote, amount=number(raw.fee, "fee")),)


def balances(answer: Mapping[str, wire.Balance], assets: AssetMap, venue: str) -> list[Balance]:
    """Read BalanceEx; names that mean the same asset in the same wallet are summed."""
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    with localcontext(EXACT):
        for name, raw in answer.items():
            place = balance_asset(name, assets)
            total, held = sums.get(place, (Decimal(0), Decimal(0)))
            own, own_held = amounts(raw)
            sums[place] = total + own, held + own_held
    return [
        Balance(asset=asset, total=total, held=held, wallet=wallet, usable=usable(wallet), venue=venue)
        for (asset, wallet), (total, held) in sums.items()
    ]


def amounts(raw: wire.Balance) -> tuple[Decimal, Decimal]:
    """Return what there is, with what may be borrowed, and what of it is held."""
    with localcontext(EXACT):
        credit = number(raw.credit or Decimal(0), "credit") - number(raw.credit_used or Decimal(0), "credit_used")
        return number(raw.balance, "balance") + credit, number(raw.hold_trade, "hold_trade")


def fill(trade_id: str, raw: wire.Trade, symbols: SymbolMap, venue: str) -> Fill:
    """Read one of our trades. Of a pair that is listed nowhere it is not known in what the fee was paid.

    Raises:
        ProtocolError: For what does not read as documented, and for a pair that is in no list as long as new lists
            are not to be had.
    """
    symbol = pair(raw.pair, symbols)
    return Fill(
        id=trade_id,
        symbol=symbol,
        side=side(raw.type),
        price=number(raw.price, "price"),
        quantity=number(raw.vol, "vol"),
        time=moment(raw.time),
        venue=venue,
        venue_order_id=raw.ordertxid,
        cost=None if raw.cost is None else number(raw.cost, "cost"),
        # Open point: only the ledger says for sure; samples and reports show the quote asset on both sides.
        fee=Fee(asset=symbol.quote, amount=number(raw.fee, "fee")),
        liquidity=None if raw.maker is None else Liquidity.MAKER if raw.maker else Liquidity.TAKER,
    )


def fees(raw: wire.TradeVolume, symbol: Symbol, symbols: SymbolMap) -> FeeRates | None:
    """Read percentages as fractions. A pair without a maker schedule pays the taker's rate."""
    taker = _fee_of(raw.fees, symbol, symbols)
    maker = _fee_of(raw.fees_maker, symbol, symbols)
    if taker is None:
        return None
    return FeeRates(maker=taker if maker is None else maker, taker=taker)


def _fee_of(schedule: Mapping[str, wire.Fee] | None, symbol: Symbol, symbols: SymbolMap) -> Decimal | None:
    for name, entry in (schedule or {}).items():
        if symbols.get(name) == symbol:
            with localcontext(EXACT):
                return number(entry.fee, "fee") / 100
    return None
