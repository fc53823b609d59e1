"""The hooks: everything a plugin can add or decide, on one screen.

Hooks are plain functions, called at start-up or once per order, never per message. They return values and do no I/O.
Mark yours with ``hookimpl`` and name the module in the entry-point group ``exchange_core``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pluggy

from exchange_core.connector.auth import Credentials, Signer
from exchange_core.connector.limits import Limits
from exchange_core.connector.spec import VenueConfig, VenueSpec
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import OrderRequest

PROJECT = "exchange_core"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def venues() -> Iterable[VenueSpec]:  # type: ignore[empty-body]
    """Return the venues this plugin brings."""


@hookspec
def routing_policies() -> Iterable[tuple[str, Callable[..., Any]]]:  # type: ignore[empty-body]
    """Return named ways to split an order over venues."""


@hookspec
def commands() -> Iterable[tuple[str, Callable[..., Any]]]:  # type: ignore[empty-body]
    """Return named functions that become sub-commands of ``exchange``; see typer for their arguments."""


@hookspec(firstresult=True)
def signer(venue: VenueSpec, credentials: Credentials) -> Signer | None:
    """Return what signs for *venue* (a hardware module, say), or None to leave it to the venue's own."""


@hookspec(firstresult=True)
def rate_limits(venue: VenueSpec, config: VenueConfig) -> Limits | None:
    """Return other limits for *venue*, or None to leave it to the published ones."""


@hookspec(firstresult=True)
def asset_alias(venue: VenueSpec, code: str) -> str | None:
    """Return our code for the venue's asset *code*, or None to leave it to the venue's own table."""


@hookspec
def review_order(request: OrderRequest, instrument: Instrument) -> str | None:
    """Say why *request* must not be sent, or return None to let it pass."""
