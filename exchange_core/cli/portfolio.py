"""``exchange portfolio``: all venues as one, valued in one currency."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated

import typer
from rich.live import Live

from exchange_core.cli.holdings import portfolio_lines, portfolio_tables
from exchange_core.cli.opening import open_hub
from exchange_core.cli.options import ConfigOption, JsonOption, WatchOption, output, run
from exchange_core.cli.output import Output
from exchange_core.portfolio import Portfolio, PortfolioView


def register(app: typer.Typer) -> None:
    app.command()(portfolio)


def portfolio(
    currency: Annotated[str, typer.Option(help="What to value in.")] = "USD",
    watch: WatchOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show all accounts as one portfolio.

    Ends with status 1 when something could not be read or valued. With --json amounts, values and sums are exact; the
    prices that they were reckoned with are shown to 18 significant digits.
    """
    out = output(as_json)

    async def job() -> int:
        async with open_hub(config) as (hub, missing):
            tracker = Portfolio(hub.venues, currency)
            if watch:
                await _watch(out, tracker)
                return 0
            view = await tracker.refresh()
            _show(out, view)
            return 0 if view.is_complete and not missing else 1

    return run(job())


async def _watch(out: Output, tracker: Portfolio) -> None:
    async with aclosing(tracker.updates()) as views:
        if not out.is_live:
            async for view in views:
                _show(out, view)
            return
        with Live(console=out.console, auto_refresh=False) as live:
            async for view in views:
                live.update(portfolio_tables(view), refresh=True)


def _show(out: Output, view: PortfolioView) -> None:
    if out.as_json:
        for row in portfolio_lines(view):
            out.line(row)
    else:
        out.show(portfolio_tables(view))
