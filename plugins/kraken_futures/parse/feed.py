"""What Kraken Futures' WebSocket frames mean, in the words of the model. One pure function a message.

See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.naming import AssetMap
from exchange_core.errors import ProtocolError
from exchange_core.model.account import Balance, Position
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Ticker, Trade
from exchange_core.model.number import EXACT
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis
from kraken_futures import contracts, naming
from kraken_futures.numbers import number, optional
from kraken_futures.parse.rows import DAMAGE, decoder
from kraken_futures.wire import feed as wire

# Wallets. "flex" is the multi-collateral one; single-collateral ones are named like fi_xbtusd.
CASH = "cash"
FLEX = "flex"

_LIQUIDITY = {"maker": Liquidity.MAKER, "taker": Liquidity.TAKER, "takerAfterEdit": Liquidity.TAKER}


def side(text: str) -> Side:
    """Read ``buy`` or ``sell``."""
    try:
        return Side(text)
    except ValueError:
        raise ProtocolError(f"side: {text[:20]!r} is neither buy nor sell") from None


def liquidity(fill_type: str) -> Liquidity | None:
    """Return which side of the book a fill was on; liquidations and assignments are on neither."""
    return _LIQUIDITY.get(fill_type)


def trade(raw: wire.TradeRow, symbol: Symbol) -> Trade:
    return Trade(
        symbol=symbol,
        id=raw.uid or str(raw.seq),
        side=side(raw.side),
        price=number(raw.price, "price"),
        quantity=number(raw.qty, "qty"),
        time=from_millis(raw.time),
        kind=trade_kind(raw.type),
    )


def trade_kind(word: str) -> str:
    """Return how a trade came about, for one that is no ordinary one."""
    return "" if word == "fill" else word


def ticker(raw: wire.Ticker, symbol: Symbol) -> Ticker:
    funding = optional(raw.relative_funding_rate, "relative_funding_rate")
    expected = optional(raw.relative_funding_rate_prediction, "relative_funding_rate_prediction")
    if raw.tag == "perpetual":  # zeros are left out
        funding, expected = funding or Decimal(0), expected or Decimal(0)
    return Ticker(
        symbol=symbol,
        bid=optional(raw.bid, "bid"),
        bid_quantity=optional(raw.bid_size, "bid_size"),
        ask=optional(raw.ask, "ask"),
        ask_quantity=optional(raw.ask_size, "ask_size"),
        last=optional(raw.last, "last"),
        low=optional(raw.low, "low"),
        high=optional(raw.high, "high"),
        volume=optional(raw.volume, "volume"),
        mark_price=optional(raw.mark_price, "markPrice"),
        index_price=optional(raw.index, "index"),
        funding_rate=funding,
        next_funding_rate=expected,
        # 0 was seen; it is none.
        next_funding_time=from_millis(raw.next_funding_rate_time) if raw.next_funding_rate_time else None,
        open_interest=optional(raw.open_interest, "openInterest"),
        time=from_millis(raw.time),
    )


def ticker_lite(raw: wire.TickerLite, symbol: Symbol) -> Ticker:
    return Ticker(
        symbol=symbol,
        bid=optional(raw.bid, "bid"),
        ask=optional(raw.ask, "ask"),
        volume=optional(raw.volume, "volume"),
    )


def fill(raw: wire.FillRow, symbol: Symbol, venue: str, assets: AssetMap) -> Fill:
    fee = None
    if raw.fee_paid is not None and raw.fee_currency:
        fee = Fee(asset=naming.asset(assets, raw.fee_currency), amount=number(raw.fee_paid, "fee_paid"))
    return Fill(
        id=raw.fill_id,
        symbol=symbol,
        side=Side.BUY if raw.buy else Side.SELL,
        price=number(raw.price, "price"),
        quantity=number(raw.qty, "qty"),
        time=from_millis(raw.time),
        venue=venue,
        venue_order_id=raw.order_id,
        client_order_id=raw.cli_ord_id,
        fee=fee,
        liquidity=liquidity(raw.fill_type),
        kind=fill_kind(raw.fill_type),
    )


def fill_kind(fill_type: str) -> str:
    """Return how an execution came about, for one that was neither made nor taken in the book."""
    return "" if fill_type in _LIQUIDITY else fill_type


def position(raw: wire.PositionRow, instrument: Instrument, venue: str) -> Position:
    """Read a position. ``balance`` is signed in live recordings; a sample of the documentation contradicts them."""
    liquidation = optional(raw.liquidation_threshold, "liquidation_threshold")
    position = make_position(
        instrument,
        number(raw.balance, "balance"),
        number(raw.entry_price, "entry_price"),
        mark=optional(raw.mark_price, "mark_price"),
        liquidation=liquidation or None,  # 0 is none
        venue=venue,
    )
    return attrs.evolve(
        position,
        initial_margin=optional(raw.initial_margin, "initial_margin"),
        maintenance_margin=optional(raw.maintenance_margin, "maintenance_margin"),
        unrealised_funding=optional(raw.unrealized_funding, "unrealized_funding"),
    )


def make_position(
    instrument: Instrument,
    quantity: Decimal,
    entry: Decimal,
    *,
    mark: Decimal | None,
    venue: str,
    liquidation: Decimal | None = None,
) -> Position:
    """Make a position; its profit is worked out here: the venue's figure for inverse contracts fits no formula."""
    unrealised = None
    # Of a contract that is listed nowhere it is not known how its profit is reckoned.
    if mark is not None and mark > 0 and entry > 0 and instrument.symbol.quote != naming.UNKNOWN:
        unrealised = contracts.profit(instrument.is_inverse, quantity, entry, mark, instrument.contract_size)
    return Position(
        symbol=instrument.symbol,
        quantity=quantity,
        entry_price=entry,
        mark_price=mark,
        unrealised=unrealised,
        liquidation_price=liquidation,
        venue=venue,
    )


def balances(raw: wire.Balances, venue: str, assets: AssetMap) -> tuple[list[Balance], dict[str, str]]:
    """Read the sections that a message has; what it leaves out is unchanged.

    Returns:
        The balances, and what does not read, with the reason.
    """

    def coin(name: str, total: Decimal) -> Balance:
        return make_balance(naming.asset(assets, name), total, None, CASH, venue)

    def margin(name: str, account: wire.MarginAccount) -> Balance:
        # REST calls the wallet of XBT/USD fi_xbtusd; here its name is F-XBT:USD.
        wallet = f"fi_{account.pair.replace('/', '').lower()}"
        return make_balance(naming.asset(assets, account.unit), account.balance, account.available, wallet, venue)

    def flex(name: str, row: wire.FlexCurrency) -> Balance:
        return make_balance(naming.asset(assets, name), row.quantity, row.available, FLEX, venue)

    currencies = raw.flex_futures.currencies if raw.flex_futures is not None else None
    sections: tuple[tuple[Mapping[str, msgspec.Raw] | None, Any, Callable[[str, Any], Balance]], ...] = (
        (raw.holding, Decimal, coin),
        (raw.futures, wire.MarginAccount, margin),
        (currencies, wire.FlexCurrency, flex),
    )
    found: list[Balance] = []
    bad: dict[str, str] = {}
    for entries, kind, read in sections:
        for name, entry in (entries or {}).items():
            try:
                found.append(read(name, decoder(kind).decode(entry)))
            except DAMAGE as problem:
                bad[f"{read.__name__} {name[:60]}"] = str(problem)
    return found, bad


def make_balance(asset: str, total: Decimal, available: Decimal | None, wallet: str, venue: str) -> Balance:
    """Make a balance. Available counts open profit too, so it can exceed the total; nothing is held then."""
    total = number(total, "total")
    held = None if available is None else max(Decimal(0), EXACT.subtract(total, number(available, "available")))
    if wallet == CASH:
        held = Decimal(0)  # orders and positions draw on the other wallets only
    return Balance(asset=asset, total=total, held=held, wallet=wallet, venue=venue)
