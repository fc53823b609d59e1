"""``exchange route``: plan an order over all venues, explain it, carry it out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer

from exchange_core.cli.opening import open_hub
from exchange_core.cli.options import ConfigOption, JsonOption, NumbersCommand, SymbolArgument, output, run
from exchange_core.cli.output import Output, Row
from exchange_core.cli.trading import QuantityArgument, SideArgument
from exchange_core.model.order import OrderRequest
from exchange_core.model.reading import cut, exactly, trim
from exchange_core.plugins import load_plugins
from exchange_core.routing import BEST_PRICE, Leg, Plan, Router, RouteResult, collect
from exchange_core.serde import unstructure

_LEG = ("venue", "quantity", "limit", "notional", "fee", "total")
_DONE = ("venue", "outcome", "filled", "average_price", "fees", "order_id", "reason")


def register(app: typer.Typer) -> None:
    app.command(cls=NumbersCommand)(route)


def route(
    side: SideArgument,
    symbol: SymbolArgument,
    quantity: QuantityArgument,
    price: Annotated[str | None, typer.Option(help="Worst price to accept, before fees.")] = None,
    policy: Annotated[str, typer.Option(help="How to split it.")] = BEST_PRICE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan and explain; send nothing.")] = False,
    retries: Annotated[int, typer.Option(min=0, help="How often refused parts are planned again elsewhere.")] = 0,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Buy or sell at the best price over all venues.

    The best after fees. Takes what is in the books now and leaves nothing behind. Ends with status 1 when not all of it
    was filled.
    """
    out = output(as_json)
    request = OrderRequest(symbol=symbol, side=side, quantity=quantity, price=price)

    async def job() -> int:
        async with open_hub(config) as (hub, _):
            router = Router(hub.venues, policies=collect(load_plugins().manager.hook.routing_policies()))
            plan = await router.plan(request, policy=policy)
            show_plan(out, plan)
            if dry_run:
                return 0
            result = await router.execute(plan, retries=retries)
            show_result(out, result)
            return 0 if result.filled == request.quantity else 1

    return run(job())


def show_plan(out: Output, plan: Plan) -> None:
    """Write a plan and the reasons for it."""
    title = f"Plan: {plan.request.side} {exactly(plan.request.require_quantity())} {plan.request.symbol}"
    out.rows(_readable(out, [_leg(plan, leg) for leg in plan.legs]), _LEG, title=title)
    if out.as_json:
        out.line(_totals(plan))
    for line in plan.explain():
        if out.as_json:
            out.line({"kind": "reason", "text": line})
        else:
            out.say(f"  {line}")


def show_result(out: Output, result: RouteResult) -> None:
    """Write what became of a plan."""
    rows: list[dict[str, Any]] = [
        {
            "kind": "result",
            "venue": leg.leg.venue,
            "outcome": leg.outcome,
            "planned": leg.leg.quantity,
            "filled": leg.filled,
            "average_price": leg.average_price,
            "fees": [f"{exactly(fee.amount)} {fee.asset}" for fee in leg.fees],
            "order_id": leg.order and leg.order.venue_order_id,
            "fills": [fill.id for fill in leg.fills],
            "reason": leg.reason,
        }
        for leg in result.legs
    ]
    out.rows(_readable(out, rows), _DONE, title="Done")
    if out.as_json:
        out.line(
            {
                "kind": "total",
                "filled": result.filled,
                "unknown": result.unknown,
                "remainder": result.remainder,
                "average_price": result.average_price,
                "notes": list(result.notes),
            }
        )
    else:
        for line in result.explain()[len(result.legs) :]:
            out.say(f"  {line}")


def _leg(plan: Plan, leg: Leg) -> Row:
    return {
        "kind": "leg",
        "venue": leg.venue,
        "quantity": leg.quantity,
        "limit": leg.request.price,
        "notional": leg.notional,
        "fee": leg.fee,
        "total": leg.total,
        "asset": plan.cost_asset,
    }


def _totals(plan: Plan) -> Row:
    """Return all legs as one, exact, and why it is no more."""
    return {
        "kind": "plan",
        "symbol": plan.request.symbol,
        "side": plan.request.side,
        "policy": plan.policy,
        "quantity": trim(plan.quantity),
        "unfilled": trim(plan.unfilled),
        "notional": trim(plan.notional),
        "fees": trim(plan.fees),
        "total": trim(plan.total),
        "asset": plan.cost_asset,
        "average_price": trim(plan.average_price),
        "all_in_price": trim(plan.all_in_price),
        "saving": None if plan.saving is None else trim(plan.saving),
        "shortfalls": unstructure(plan.shortfalls),
        "rejections": unstructure(plan.rejections),
        "notes": list(plan.notes),
    }


def _readable(out: Output, rows: Sequence[Row]) -> list[Row]:
    """Return *rows* with numbers cut for reading; in JSON they stay exact."""
    if out.as_json:
        return list(rows)
    return [{key: cut(value) if isinstance(value, Decimal) else value for key, value in row.items()} for row in rows]
