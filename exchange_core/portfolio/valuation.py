"""Value balances and positions of many venues in one currency: literals in, a view out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext

from exchange_core.model.account import Balance, Position
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import EXACT, plain
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.prices import LONGEST_PATH, PriceTable
from exchange_core.portfolio.profit import gain_asset, notional, profit
from exchange_core.portfolio.view import AssetLine, PortfolioView, PositionLine, Unvalued, VenueReading, total

Instruments = Mapping[tuple[str, Symbol], Instrument]
"""By the venue's name and the symbol."""

Marks = Mapping[tuple[str, Symbol], Decimal]
"""Mark prices, the same way, where there are better ones than the positions came with."""


def value(
    *,
    balances: Iterable[Balance],
    positions: Iterable[Position] = (),
    prices: PriceTable,
    instruments: Instruments,
    currency: str,
    time: datetime,
    marks: Marks | None = None,
    venues: Sequence[VenueReading] = (),
) -> PortfolioView:
    """Return the portfolio. What cannot be valued is listed with the reason and counts nowhere.

    A derivatives position adds its unrealised profit only: what backs it is among the balances.
    The same account under two venue names is counted twice; names are all that tells accounts apart.
    """
    assets = tuple(_asset_lines(balances, prices, currency))
    lines = tuple(
        _position_line(position, instruments, marks or {}, prices, currency)
        for position in sorted(positions, key=lambda each: (each.symbol.base, str(each.symbol), each.venue))
        if position.quantity
    )
    owned = total(line.value for line in assets if line.value is not None)
    gains = total(line.value for line in lines if line.value is not None)
    return PortfolioView(
        currency=currency,
        time=time,
        assets=assets,
        positions=lines,
        assets_value=owned,
        unrealised=gains,
        total=total([owned, gains]),
        unvalued=tuple(_unvalued(assets, lines, venues)),
        venues=tuple(venues),
    )


def _asset_lines(balances: Iterable[Balance], prices: PriceTable, currency: str) -> Iterable[AssetLine]:
    parts: dict[str, list[Balance]] = {}
    for balance in balances:
        parts.setdefault(balance.asset, []).append(balance)
    for asset in sorted(parts):
        yield _asset_line(asset, parts[asset], prices, currency)


def _asset_line(asset: str, parts: Sequence[Balance], prices: PriceTable, currency: str) -> AssetLine:
    owned = total(part.total for part in parts)
    held = [part.held for part in parts if part.held is not None]
    rate = prices.rate(asset, currency)
    worth, reason = None, None
    if rate is not None:
        with localcontext(EXACT):
            worth = owned * rate.rate
    elif not any(part.total for part in parts):
        worth = Decimal(0)
    else:
        reason = _no_rate(asset, currency)
    return AssetLine(
        asset=asset,
        total=owned,
        held=total(held) if len(held) == len(parts) else None,
        parts=tuple(sorted(parts, key=lambda part: (part.venue, part.wallet))),
        rate=rate,
        value=worth,
        reason=reason,
    )


def _no_rate(asset: str, currency: str) -> str:
    return f"no price leads from {asset} to {currency} over at most {LONGEST_PATH} spot markets"


def _position_line(
    position: Position, instruments: Instruments, marks: Marks, prices: PriceTable, currency: str
) -> PositionLine:
    symbol, key = position.symbol, (position.venue, position.symbol)
    settle, instrument = gain_asset(symbol), instruments.get(key)
    mark = marks.get(key, position.mark_price)
    size = gain = worth = rate = reason = None
    if settle is None:
        reason = f"{symbol} pays in neither its base nor its quote asset; such contracts are not valued here"
    elif instrument is None:
        reason = f"{position.venue} lists no instrument {symbol}, so its contract size is not known"
    elif position.entry_price <= 0:
        reason = f"{position.venue} gives {plain(position.entry_price)} as the entry price, which is no price"
    elif mark is None or mark <= 0:
        reason = f"{position.venue} gives no mark price for {symbol}"
    else:
        size = notional(symbol, position.quantity, mark, instrument.contract_size)
        gain = profit(symbol, position.quantity, position.entry_price, mark, instrument.contract_size)
        rate = prices.rate(settle, currency)
        if rate is None:
            reason = _no_rate(settle, currency)
        else:
            with localcontext(EXACT):
                worth = gain * rate.rate
    return PositionLine(
        position=position,
        settle=settle,
        notional_asset=symbol.base if symbol.is_inverse else symbol.quote,
        mark_price=mark,
        notional=size,
        unrealised=gain,
        rate=rate,
        value=worth,
        reason=reason,
    )


def _unvalued(
    assets: Iterable[AssetLine], positions: Iterable[PositionLine], venues: Iterable[VenueReading]
) -> Iterable[Unvalued]:
    for venue in venues:
        if venue.read is None:
            yield Unvalued(what=f"everything at {venue.venue}", reason=venue.reason or "not read yet")
    for line in assets:
        if line.reason is not None:
            yield Unvalued(what=f"{plain(line.total)} {line.asset}", reason=line.reason)
    for each in positions:
        if each.reason is not None:
            what = f"position of {plain(each.position.quantity)} {each.position.symbol} at {each.position.venue}"
            yield Unvalued(what=what, reason=each.reason)
