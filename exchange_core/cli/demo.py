"""``exchange demo``: the main job on the simulated exchange, in one go.

Two spot venues (one plugin, two names, two markets) and one futures venue: live checked books, one portfolio, one
order split over the two spot venues, and the proof that every balance is explained, but for what the venues round
when they book.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any

import typer

from exchange_core.cli.books import BookBoard
from exchange_core.cli.holdings import portfolio_lines, portfolio_tables
from exchange_core.cli.options import JsonOption, output, run
from exchange_core.cli.output import Output
from exchange_core.cli.route import show_plan, show_result
from exchange_core.cli.simulate import simulated_venues
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ExchangeError
from exchange_core.hub import Hub
from exchange_core.model.account import FeeRates
from exchange_core.model.fill import Fill
from exchange_core.model.number import plain
from exchange_core.model.order import OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio import Portfolio, PortfolioView, Reconciliation, explain
from exchange_core.routing import Router, RouteResult
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch
from exchange_core.simulator.makers.maker import MakerSettings
from exchange_core.venue.protocol import Venue

SPOT = Symbol("BTC", "USD")
PERPETUAL = Symbol("BTC", "USD", "USD")
QUANTITY = Decimal("0.8")
CONTRACTS = Decimal("0.05")

_TO_CHECK, _TO_LOOK_AT = 12, 40
_ATTEMPTS = 5
# Quiet enough that the two venues stay close to each other, as those of one asset do.
_MARKETS = MakerSettings(volatility=Decimal("0.00002"), pull=Decimal("0.05"), depth=Decimal(4_000), levels=40)
_FUNDS = {"USD": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(10)}
_RECONCILED = ("venue", "asset", "before", "after", "traded", "fees", "difference", "rounding")


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same markets to begin with.")] = 7,
    messages: Annotated[
        int | None, typer.Option(min=1, help="Checked messages to wait for on each book; more where somebody looks.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show the main job on the simulated exchange.

    No account and no internet are needed. Ends by itself.
    """
    out = output(as_json)
    return run(_demo(out, seed, messages or (_TO_LOOK_AT if out.is_live else _TO_CHECK)))


async def _demo(out: Output, seed: int, messages: int) -> int:
    specs = {spec.simulator.section: spec for spec in simulated_venues().values() if spec.simulator is not None}
    async with launch(_launches(specs, seed)) as running:
        for name, simulator in running.items():
            out.say(f"{name}: a simulated {simulator.section} exchange at {simulator.urls['rest_url']}")
        async with _hub(specs, running) as hub:
            await _show_books(out, hub, messages)
            kept = running["alpha"].exchange.assets()
            return await _trade(out, hub, {asset.code: Decimal(1).scaleb(-asset.decimals) for asset in kept})


def _launches(specs: Mapping[str, VenueSpec], seed: int) -> dict[str, SimulatorLaunch]:
    spot, futures = specs["spot"].simulator, specs["futures"].simulator
    assert spot is not None
    assert futures is not None
    return {
        "alpha": SimulatorLaunch(
            spec=spot,
            seed=seed,
            deposits=_FUNDS,
            makers=_MARKETS,
            fees=FeeRates(maker=Decimal("0.0014"), taker=Decimal("0.0024")),
        ),
        "beta": SimulatorLaunch(
            spec=spot,
            seed=seed + 1,
            price_shift=Decimal("0.0006"),
            deposits=_FUNDS,
            makers=_MARKETS,
            fees=FeeRates(maker=Decimal("0.0010"), taker=Decimal("0.0018")),
        ),
        "futures": SimulatorLaunch(spec=futures, seed=seed + 2, makers=_MARKETS),
    }


@asynccontextmanager
async def _hub(specs: Mapping[str, VenueSpec], running: Mapping[str, RunningSimulator]) -> AsyncIterator[Hub]:
    """Connect as a user would: by configuration, with keys named and not written."""
    keys: dict[str, str] = {}
    venues: dict[str, dict[str, Any]] = {}
    for name, simulator in running.items():
        keys[f"{name}_key"], keys[f"{name}_secret"] = simulator.api_key, simulator.api_secret
        venues[name] = {
            "plugin": specs[simulator.section].name,
            "api_key": f"env:{name}_key",
            "api_secret": f"env:{name}_secret",
            **simulator.urls,
        }
    async with Hub.open({"venues": venues}, environment=keys) as hub:
        yield hub


async def _show_books(out: Output, hub: Hub, messages: int) -> None:
    out.say("\nLive books; each message is checked before anything of it is shown:")
    board = BookBoard(out, {"alpha": SPOT, "beta": SPOT, "futures": PERPETUAL})
    async with asyncio.timeout(20):
        await board.follow(hub.venues, messages)
    board.show()


async def _trade(out: Output, hub: Hub, steps: Mapping[str, Decimal]) -> int:
    futures = hub["futures"]
    await _fill(futures, OrderRequest(symbol=PERPETUAL, side=Side.BUY, quantity=CONTRACTS))
    holdings = Portfolio(hub.venues, "USD")
    out.say(f"\nBought {plain(CONTRACTS)} {PERPETUAL} on futures; all accounts as one:")
    before = await holdings.refresh()
    _show_portfolio(out, before, "Portfolio before")

    out.say("\nOne order over both spot venues:")
    router = Router({name: hub[name] for name in ("alpha", "beta")})
    results = await _route(out, router)
    fills = [fill for result in results for fill in result.fills]
    _show_fills(out, fills)

    out.say("")
    after = await holdings.refresh()
    _show_portfolio(out, after, "Portfolio after")
    proof = explain(_spot(before), _spot(after), fills, steps=steps)
    return _verdict(out, proof, (before, after), results)


async def _route(out: Output, router: Router) -> list[RouteResult]:
    """Buy, and plan again what slipped away because a book moved after the plan."""
    results: list[RouteResult] = []
    left = QUANTITY
    while left and len(results) < _ATTEMPTS:
        plan = await router.plan(OrderRequest(symbol=SPOT, side=Side.BUY, quantity=left))
        show_plan(out, plan)
        result = await router.execute(plan)
        show_result(out, result)
        results.append(result)
        if not result.is_certain:
            break
        left = result.remainder
    return results


async def _fill(venue: Venue, request: OrderRequest) -> None:
    """Place an order and wait for its end."""
    async with venue.order_updates() as updates:
        order = await venue.place(request)
        async with asyncio.timeout(10):
            while not order.is_final:
                news = await anext(updates)
                if news.client_order_id == order.client_order_id:
                    order = news
    if order.filled != request.quantity:
        raise ExchangeError(f"{venue.name}: {request.symbol} ended {order.status} with {plain(order.filled)} filled")


def _spot(view: PortfolioView) -> list[Any]:
    return [balance for balance in view.balances if balance.venue != "futures"]


def _show_portfolio(out: Output, view: PortfolioView, title: str) -> None:
    if out.as_json:
        for row in portfolio_lines(view):
            out.line({"step": title.lower(), **row})
    else:
        out.show(portfolio_tables(view, title))


def _show_fills(out: Output, fills: Sequence[Fill]) -> None:
    rows = [
        {
            "kind": "fill",
            "venue": fill.venue,
            "side": fill.side,
            "quantity": fill.quantity,
            "price": fill.price,
            "fee": f"{fill.fee.amount} {fill.fee.asset}" if fill.fee else None,
            "id": fill.id,
        }
        for fill in fills
    ]
    out.rows(rows, ("venue", "side", "quantity", "price", "fee", "id"), title="Fills")


def _verdict(out: Output, proof: Reconciliation, views: Sequence[PortfolioView], results: Sequence[RouteResult]) -> int:
    rows = [
        {
            "kind": "proof",
            "venue": row.venue,
            "asset": row.asset,
            "before": row.before,
            "after": row.after,
            "traded": row.traded,
            "fees": row.fees,
            "difference": row.difference,
            "rounding": row.rounding,
        }
        for row in proof.rows
    ]
    out.say("")
    out.rows(rows, _RECONCILED, title="Every change explained by the fills")
    agree = proof.agrees and all(view.agrees for view in views)
    filled = sum((result.filled for result in results), Decimal(0))
    certain = all(result.is_certain for result in results)
    if out.as_json:
        out.line({"kind": "verdict", "sums_agree": agree, "filled": filled, "certain": certain})
    out.say("All sums agree, but for what the venues round." if agree else "The sums do NOT agree.")
    if filled != QUANTITY or not certain:
        out.say("The order was NOT filled as planned.")
        return 1
    return 0 if agree else 1
