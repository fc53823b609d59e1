"""``exchange place``, ``amend``, ``cancel``, ``cancel-all``, ``cancel-all-after``: orders by hand."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from exchange_core.cli import order_options as opt
from exchange_core.cli.opening import open_account
from exchange_core.cli.options import (
    ConfigOption,
    JsonOption,
    NumbersCommand,
    SymbolArgument,
    VenueArgument,
    moment,
    output,
    run,
)
from exchange_core.cli.output import warn
from exchange_core.cli.rows import ORDER, row_of
from exchange_core.errors import TimedOut
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.venue.protocol import EventStream, Venue

_ORDER = (*ORDER, "fees")
_ENDED = (*_ORDER, "updated")

SideArgument = Annotated[str, typer.Argument(metavar="SIDE", help="buy or sell")]
OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The venue's id of the order, or ours.")]
QuantityArgument = Annotated[
    str | None,
    typer.Argument(metavar="[QUANTITY]", help="In units of the base asset, or contracts; with --amount none."),
]

_A_MOMENT = 2.0


def register(app: typer.Typer) -> None:
    app.command(cls=NumbersCommand)(place)
    app.command(cls=NumbersCommand)(amend)
    app.command()(cancel)
    app.command("cancel-all")(cancel_all)
    app.command("cancel-all-after", cls=NumbersCommand)(cancel_all_after)


def place(
    venue: VenueArgument,
    side: SideArgument,
    symbol: SymbolArgument,
    quantity: QuantityArgument = None,
    amount: opt.AmountOption = None,
    price: opt.PriceOption = None,
    kind: opt.TypeOption = None,
    time_in_force: opt.TimeInForceOption = None,
    expires: opt.ExpiresOption = None,
    post_only: opt.PostOnlyOption = False,
    reduce_only: opt.ReduceOnlyOption = False,
    trigger: opt.TriggerOption = None,
    trigger_by: opt.TriggerByOption = None,
    trail: opt.TrailOption = None,
    limit_offset: opt.LimitOffsetOption = None,
    display: opt.DisplayOption = None,
    leverage: opt.LeverageOption = None,
    self_trade: opt.SelfTradeOption = None,
    terms: opt.TermsOption = None,
    wait: opt.WaitOption = None,
    validate: Annotated[
        bool, typer.Option("--validate", help="Check it against the venue's rules; send nothing that could execute.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Place an order. Ends with status 1 when its outcome is not known yet; with --wait, when it was not filled."""
    out = output(as_json)
    request = OrderRequest(
        symbol=symbol,
        side=side,
        quantity=quantity,
        quote_amount=amount,
        price=price,
        time_in_force=time_in_force or ("gtc" if expires is None else "gtd"),
        expires=moment(expires, "--expires"),
        post_only=post_only,
        reduce_only=reduce_only,
        trigger_price=trigger,
        trigger_by=trigger_by,
        trail=trail,
        limit_offset=limit_offset,
        display_quantity=display,
        leverage=leverage,
        self_trade=self_trade,
        terms=opt.terms_of(terms),
        **opt.kind_of(kind, price, trigger, trail, limit_offset),
    )

    async def job() -> int:
        async with open_account(venue, config) as opened:
            if validate:
                await opened.check(request)
                size = "quantity" if request.quote_amount is None else "quote_amount"
                out.rows([{"valid": True, **row_of(request)}], ("symbol", "side", "type", size, "price", "valid"))
                return 0
            async with opened.order_updates() as updates:
                order = await _news(await opened.place(request), updates)
            if wait is not None and not order.is_final:
                # For programs a line as it stands and one as it ended; for people one table, and what they wait for.
                if out.as_json:
                    out.line(row_of(order))
                out.say(f"order {order.venue_order_id or order.client_order_id}: {order.status}; waiting for its end")
                order = await _end(opened, order, wait)
            out.rows([row_of(order)], _ORDER)
            if order.reason:
                out.say(f"{order.status}: {order.reason}")
            if order.unknown:
                out.say(
                    "The venue did not answer: the order may stand. Ask again with: exchange orders, exchange fills"
                )
            return 1 if order.unknown or (wait is not None and order.status is not OrderStatus.FILLED) else 0

    return run(job())


async def _news(order: Order, updates: EventStream[Order]) -> Order:
    """Wait a moment for what the venue says after "received": open, filled, cancelled."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_A_MOMENT):
            while order.status is OrderStatus.PENDING and not order.unknown:
                news = await anext(updates)
                if news.client_order_id == order.client_order_id:
                    order = news
    return order


async def _end(venue: Venue, order: Order, seconds: float) -> Order:
    """Wait for the order's end; return it as it is then, or when the time is over."""
    try:
        return await venue.until_final(order, seconds)
    except TimedOut as error:
        warn(str(error))
        return await venue.order(order)


def amend(
    venue: VenueArgument,
    order_id: OrderArgument,
    price: opt.NewPriceOption = None,
    quantity: opt.NewQuantityOption = None,
    trigger: opt.NewTriggerOption = None,
    trail: opt.NewTrailOption = None,
    limit_offset: opt.NewLimitOffsetOption = None,
    display: opt.NewDisplayOption = None,
    post_only: opt.NewPostOnlyOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change an order that rests; what is not given stays. It keeps its ids and what was executed of it."""
    out = output(as_json)
    amendment = Amendment(
        price=price,
        quantity=quantity,
        trigger_price=trigger,
        trail=trail,
        limit_offset=limit_offset,
        display_quantity=display,
        post_only=post_only,
    )

    async def job() -> None:
        async with open_account(venue, config) as opened:
            order = await opened.amend(order_id, amendment)
            out.rows([row_of(order)], _ORDER)

    run(job())


def cancel(
    venue: VenueArgument,
    order_id: OrderArgument,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Cancel one order.

    Shows what became of it, and when, also where it was over before. Ends with status 1 when all of it was filled:
    nothing was left to cancel.
    """
    out = output(as_json)

    async def job() -> int:
        async with open_account(venue, config) as opened:
            order = await opened.cancel(order_id)
            out.rows([row_of(order)], _ENDED)
            is_filled = order.status is OrderStatus.FILLED
            if is_filled:
                out.say("Nothing was canceled: it is filled.")
            return 1 if is_filled else 0

    return run(job())


def cancel_all(
    venue: VenueArgument,
    symbol: Annotated[str | None, typer.Option(help="Only orders of this symbol; no other is touched.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel all open orders, or all of one symbol."""
    out = output(as_json)

    async def job() -> None:
        async with open_account(venue, config) as opened:
            canceled = await opened.cancel_all(symbol)
            out.rows([row_of(order) for order in canceled], _ORDER, empty="no open orders")

    run(job())


def cancel_all_after(
    venue: VenueArgument,
    seconds: Annotated[int, typer.Argument(metavar="SECONDS", min=0, help="From now on; 0 ends it.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the venue cancel all orders later.

    Every order of the account, in so many seconds, unless this is said again before: a dead man's switch. It is the
    venue that counts: nothing here has to run on.
    """
    out = output(as_json)

    async def job() -> None:
        async with open_account(venue, config) as opened:
            cancels_at = await opened.cancel_all_after(seconds)
            out.rows([{"seconds": seconds, "cancels_at": cancels_at}], ("seconds", "cancels_at"))

    run(job())
