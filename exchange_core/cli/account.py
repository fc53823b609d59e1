"""``exchange balances``, ``positions``, ``orders``, ``fills``: what an account holds and did."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from exchange_core.cli.opening import open_account
from exchange_core.cli.options import ConfigOption, JsonOption, SinceOption, VenueArgument, moment, output, run
from exchange_core.cli.rows import FILL, ORDER, row_of
from exchange_core.model.reading import trim
from exchange_core.model.symbol import Symbol

_BALANCE = ("asset", "wallet", "total", "held", "free", "usable")
_POSITION = ("symbol", "quantity", "entry_price", "mark_price", "unrealised", "liquidation_price")


def register(app: typer.Typer) -> None:
    for command in (balances, positions, orders, fills):
        app.command()(command)


def balances(venue: VenueArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show what an account owns: in all, held by orders, free."""
    out = output(as_json)

    async def job() -> None:
        async with open_account(venue, config) as opened:
            rows = [row_of(b) for b in await opened.balances()]
            if not out.as_json:
                rows = [{**row, **{name: _trimmed(row[name]) for name in ("total", "held", "free")}} for row in rows]
            out.rows(rows, _BALANCE, empty="no balances")

    run(job())


def positions(venue: VenueArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show open positions."""
    out = output(as_json)

    async def job() -> None:
        async with open_account(venue, config) as opened:
            out.rows([row_of(p) for p in await opened.positions()], _POSITION, empty="no open positions")

    run(job())


def orders(
    venue: VenueArgument,
    symbol: Annotated[str | None, typer.Option(help="Only those of this symbol.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show open orders."""
    out = output(as_json)
    wanted = Symbol.parse(symbol) if symbol else None

    async def job() -> None:
        async with open_account(venue, config) as opened:
            out.rows([row_of(o) for o in await opened.open_orders(wanted)], (*ORDER, "created"), empty="no open orders")

    run(job())


def fills(
    venue: VenueArgument,
    since: SinceOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show executions of the account's orders.

    Oldest first; the latest, or all since then.
    """
    out = output(as_json)
    start = moment(since, "--since")

    async def job() -> None:
        async with open_account(venue, config) as opened:
            out.rows([row_of(f) for f in await opened.fills(start)], FILL, empty="no fills")

    run(job())


def _trimmed(value: Decimal | None) -> Decimal | None:
    return None if value is None else trim(value)
