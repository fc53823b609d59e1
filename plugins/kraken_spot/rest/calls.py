"""Calls as data, each with what it takes from the venue's limits. What changes something is marked as such.

See https://docs.kraken.com/exchange/guides/rest/introduction and https://docs.kraken.com/exchange/guides/rest/ratelimits
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from math import ceil, floor
from typing import Any

from exchange_core.connector.limits import Cost
from exchange_core.connector.rest import RestCall, SocketCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported
from exchange_core.model.number import exact, plain
from exchange_core.model.time import to_seconds
from kraken_spot import limits


class Written(Mapping[str, Any]):
    """Parameters that are written once somebody looks: an order that goes as a frame needs no form."""

    def __init__(self, write: Callable[[], Mapping[str, Any]]) -> None:
        self._write = write

    @cached_property
    def _params(self) -> Mapping[str, Any]:
        return self._write()

    def __getitem__(self, name: str) -> Any:
        return self._params[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def items(self) -> ItemsView[str, Any]:
        return self._params.items()


def public(name: str, reply: Any, params: Mapping[str, Any] | None = None, *, per_pair: str = "") -> RestCall:
    """Return a call that needs no key.

    Args:
        per_pair: The pair, for calls that are counted per pair.
    """
    return RestCall(
        method="GET", path=f"/0/public/{name}", params=params or {}, reply=reply, costs=limits.public(per_pair)
    )


def private(
    name: str, reply: Any, params: Mapping[str, Any] | None = None, *, points: float = 1, json: bool = False
) -> RestCall:
    """Return a call that reads the account."""
    return RestCall(
        method="POST",
        path=f"/0/private/{name}",
        params=params or {},
        reply=reply,
        private=True,
        json=json,
        costs=limits.private(points),
    )


def change(
    name: str,
    reply: Any,
    params: Mapping[str, Any] | None = None,
    *,
    costs: tuple[Cost, ...] | None = None,
    json: bool = False,
    socket: SocketCall | None = None,
    leave_by: datetime | None = None,
) -> RestCall:
    """Return a call that changes something: sent once, and without an answer its outcome is unknown.

    Args:
        socket: The same as a frame, where one can say it.
        leave_by: When it must have left.
    """
    return RestCall(
        method="POST",
        path=f"/0/private/{name}",
        params={} if params is None else params,
        reply=reply,
        private=True,
        changes_state=True,
        json=json,
        costs=limits.private() if costs is None else costs,
        socket=socket,
        leave_by=leave_by,
    )


def refuse(venue: str, parameter: str, why: str) -> NotSupported:
    """Return the error for what is not sent."""
    return NotSupported(f"{venue}: {parameter}: {why}", venue=venue)


def one_of(venue: str, parameter: str, value: int, allowed: tuple[int, ...]) -> int:
    """Return *value*.

    Raises:
        NotSupported: When it is none of *allowed*.
    """
    if value not in allowed:
        raise refuse(venue, parameter, f"{value} is none of {', '.join(map(str, allowed))}")
    return value


def no_more_than(venue: str, parameter: str, ids: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Return *ids*.

    Raises:
        NotSupported: When there are none, or more than the venue takes in one call.
    """
    if not 1 <= len(ids) <= most:
        raise refuse(venue, parameter, f"{len(ids)} ids; one call takes 1 to {most}")
    return ids


def aware(time: datetime, parameter: str) -> datetime:
    """Return *time*.

    Raises:
        InvalidValue: When it has no time zone.
    """
    if time.tzinfo is None:
        raise InvalidValue(f"{parameter}: {time} has no time zone; write it with tzinfo=UTC")
    return time


def second_before(time: datetime | None, parameter: str) -> int | None:
    """Return *time* in whole seconds, not after it."""
    return None if time is None else floor(to_seconds(aware(time, parameter)))


def second_after(time: datetime | None, parameter: str) -> int | None:
    """Return *time* in whole seconds, not before it."""
    return None if time is None else ceil(to_seconds(aware(time, parameter)))


def asset_id(context: VenueContext, code: str) -> str:
    """Return the venue's name of an asset of ours; a name that is in no table goes out as it is."""
    known = context.assets.get(code)
    return code if known is None else known.venue_id


def amount_text(value: Decimal | int | str, *, least_is_zero: bool = False) -> str:
    """Return an amount as it goes out.

    Raises:
        InvalidValue: For floats, and for what is not above zero.
    """
    amount = exact(value, "amount")
    if amount < 0 or not (amount or least_is_zero):
        raise InvalidValue(f"amount: {plain(amount)} is not above zero")
    return plain(amount)


def check_withdrawals(context: VenueContext, what: str) -> None:
    """Refuse to move money unless the config allows it.

    Raises:
        NotSupported: Says what would allow it.
    """
    if context.config.allow_withdrawals is not True:
        raise refuse(
            context.venue,
            what,
            f"moving money is switched off; allow_withdrawals = true in [venues.{context.venue}] switches it on",
        )
