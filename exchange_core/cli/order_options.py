"""The options of an order, as ``exchange place`` and ``exchange amend`` take them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from exchange_core.errors import InvalidValue
from exchange_core.model.terms import OrderType, SelfTrade, TriggerBy


def _words(kind: type[OrderType] | type[TriggerBy] | type[SelfTrade]) -> str:
    return ", ".join(member.value for member in kind)


AmountOption = Annotated[
    str | None,
    typer.Option("--amount", help='Instead of a quantity: how much of the quote asset ("buy for 100 dollars").'),
]
PriceOption = Annotated[str | None, typer.Option("--price", help="Limit price; without it a market order.")]
NewPriceOption = Annotated[str | None, typer.Option("--price", help="New limit price.")]
NewQuantityOption = Annotated[
    str | None, typer.Option("--quantity", help="New quantity of the whole order, with what was executed of it.")
]
TypeOption = Annotated[
    str | None, typer.Option("--type", help=f"{_words(OrderType)}; follows from --price or --trail when not given.")
]
TimeInForceOption = Annotated[
    str | None, typer.Option("--tif", help="gtc, ioc, fok or gtd; gtd goes with --expires, and is meant by it.")
]
ExpiresOption = Annotated[
    str | None, typer.Option("--expires", help="When the order ends, such as 2026-11-24T08:00:00Z, or a date (UTC).")
]
PostOnlyOption = Annotated[bool, typer.Option("--post-only", help="Refuse rather than take.")]
ReduceOnlyOption = Annotated[bool, typer.Option("--reduce-only", help="Only make a position smaller.")]
TriggerOption = Annotated[
    str | None, typer.Option("--trigger", help="Price that sets a stop or take_profit off; goes with --type.")
]
TriggerByOption = Annotated[
    str | None, typer.Option("--trigger-by", help=f"Which price sets it off: {_words(TriggerBy)}.")
]
TrailOption = Annotated[
    str | None, typer.Option("--trail", help="How far a trailing stop follows the market: 150, or 2%.")
]
LimitOffsetOption = Annotated[
    str | None,
    typer.Option("--limit-offset", help="Limit of what fires, from the price that set it off: -5, or 0.1%."),
]
DisplayOption = Annotated[str | None, typer.Option("--display", help="How much of it others see (an iceberg).")]
LeverageOption = Annotated[
    int | None, typer.Option("--leverage", help="Borrow: a margin order, so many times the own funds.")
]
SelfTradeOption = Annotated[
    str | None, typer.Option("--self-trade", help=f"When it would meet an own order: {_words(SelfTrade)}.")
]
NewTriggerOption = Annotated[
    str | None, typer.Option("--trigger", help="New price that sets a stop or take_profit off.")
]
NewTrailOption = Annotated[
    str | None,
    typer.Option("--trail", help="New distance of a trailing stop, where the venue can change it: 150, or 2%."),
]
NewLimitOffsetOption = Annotated[
    str | None, typer.Option("--limit-offset", help="New limit of a triggered order, from its trigger: -5, or 0.1%.")
]
NewDisplayOption = Annotated[
    str | None, typer.Option("--display", help="How much of an iceberg others see; other orders cannot be made one.")
]
NewPostOnlyOption = Annotated[bool, typer.Option("--post-only", help="Refuse a new price that would take.")]
WaitOption = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="Wait so long until it is filled, or over otherwise, and show it again. It is not canceled after that.",
    ),
]
TermsOption = Annotated[
    str | None, typer.Option("--terms", help="What only this venue knows, as JSON with the fields of its own terms.")
]


def kind_of(
    kind: str | None, price: str | None, trigger: str | None, trail: str | None, offset: str | None
) -> dict[str, Any]:
    """Return the ``type`` of an order where it is not to follow from its price.

    Raises:
        InvalidValue: It cannot be told.
    """
    if kind is not None:
        return {"type": kind.replace("-", "_")}
    if trigger is not None:
        # Whether it fires above or below is not to be guessed.
        raise InvalidValue("--trigger goes with --type: stop, stop_limit, take_profit or take_profit_limit")
    if trail is not None:
        return {"type": "trailing_stop" if price is None and offset is None else "trailing_stop_limit"}
    return {}


def terms_of(text: str | None) -> dict[str, Any] | None:
    """Read ``--terms``.

    Raises:
        InvalidValue: It is no JSON object.
    """
    if text is None:
        return None
    try:
        terms = json.loads(text)
    except ValueError as error:
        raise InvalidValue(f"--terms: {text!r} is no JSON: {error}") from None
    if not isinstance(terms, dict):
        raise InvalidValue(f'--terms: {text!r} is no JSON object, such as {{"field": "value"}}')
    return terms
