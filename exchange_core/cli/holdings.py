"""A portfolio view as tables and as JSON lines; for ``exchange portfolio`` and the demo."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from exchange_core.cli.output import Row, table
from exchange_core.model.reading import cut, exactly, roughly
from exchange_core.portfolio import PortfolioView

_ASSET = ("asset", "total", "held", "free", "price", "value", "where")
_POSITION = ("venue", "symbol", "quantity", "entry_price", "mark_price", "unrealised", "value")
_PRICE_DIGITS = 18  # of a price that may be a quotient; what is counted in it has all digits


def portfolio_lines(view: PortfolioView) -> Iterable[Row]:
    """Yield one row an asset, one a position, one for each thing without a value, and the total last.

    Prices are rounded to 18 significant digits; amounts, values and totals are exact, of the prices as they were.
    """
    for line in view.assets:
        yield {
            "kind": "asset",
            "asset": line.asset,
            "total": line.total,
            "held": line.held,
            "free": line.free,
            "price": line.rate and cut(line.rate.rate, _PRICE_DIGITS),
            "price_from": line.rate and str(line.rate),
            "value": line.value,
            "venues": [
                {"venue": part.venue, "wallet": part.wallet, "total": part.total, "held": part.held}
                for part in line.parts
            ],
        }
    for held in view.positions:
        yield {
            "kind": "position",
            "venue": held.position.venue,
            "symbol": held.position.symbol,
            "quantity": held.position.quantity,
            "entry_price": held.position.entry_price,
            "mark_price": held.mark_price and cut(held.mark_price, _PRICE_DIGITS),
            "notional": held.notional,
            "notional_asset": held.notional_asset,
            "unrealised": held.unrealised,
            "settle": held.settle,
            "value": held.value,
        }
    for missing in view.unvalued:
        yield {"kind": "unvalued", "what": missing.what, "reason": missing.reason}
    for venue in view.venues:
        yield {
            "kind": "venue",
            "venue": venue.venue,
            "fresh": venue.is_fresh,
            "read": venue.read,
            "reason": venue.reason,
        }
    yield {
        "kind": "total",
        "currency": view.currency,
        "assets_value": view.assets_value,
        "unrealised": view.unrealised,
        "total": view.total,
        "complete": view.is_complete,
        "sums_agree": view.agrees,
        "time": view.time,
    }


def portfolio_tables(view: PortfolioView, title: str = "Portfolio") -> RenderableType:
    """Draw a view: what is owned, the positions, what has no value, the total."""
    assets = [
        {
            "asset": line.asset,
            "total": exactly(line.total),
            "held": None if line.held is None else exactly(line.held),
            "free": None if line.free is None else exactly(line.free),
            "price": line.rate and roughly(line.rate.rate),
            "value": _money(line.value),
            "where": ", ".join(sorted({part.venue for part in line.parts if part.total})),
        }
        for line in view.assets
        if line.total
    ]
    drawn: list[RenderableType] = [table(assets, _ASSET, title=title, numbers=_ASSET[1:6])]
    if view.positions:
        positions = [
            {
                "venue": held.position.venue,
                "symbol": held.position.symbol,
                "quantity": held.position.quantity,
                "entry_price": held.position.entry_price,
                "mark_price": held.mark_price and roughly(held.mark_price),
                "unrealised": f"{_money(held.unrealised)} {held.settle}" if held.unrealised is not None else None,
                "value": _money(held.value),
            }
            for held in view.positions
        ]
        drawn.append(table(positions, _POSITION, title="Positions", numbers=_POSITION[2:]))
    drawn += [Text(f"not valued: {missing.what}: {missing.reason}") for missing in view.unvalued]
    drawn += [Text(f"{venue.venue}: not fresh: {venue.reason}") for venue in view.venues if not venue.is_fresh]
    drawn.append(
        Text(
            f"assets {_money(view.assets_value)} + unrealised {_money(view.unrealised)} "
            f"= {_money(view.total)} {view.currency}"
        )
    )
    return Group(*drawn)


def _money(value: Decimal | None) -> str | None:
    """Two decimals for reading; the JSON lines have all digits."""
    return None if value is None else f"{value:,.2f}"
