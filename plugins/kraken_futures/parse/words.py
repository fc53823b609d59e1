"""The venue's many spellings of the same words: ``spot``, ``SPOT_PRICE``, ``SpotPrice`` are one signal."""

from __future__ import annotations

from exchange_core.model.side import Side
from kraken_futures.orders.requests import OrderKind, TriggerSignal, Unit
from kraken_futures.types.trading import TriggerSide

_SIGNALS = {
    "mark": TriggerSignal.MARK,
    "last": TriggerSignal.LAST,
    "index": TriggerSignal.INDEX,
    "spot": TriggerSignal.INDEX,
}
_UNITS = {"percent": Unit.PERCENT, "quotecurrency": Unit.QUOTE}
_KINDS = {
    **{kind.value.replace("_", ""): kind for kind in OrderKind},
    "limit": OrderKind.LIMIT,
    "market": OrderKind.MARKET,
    "stop": OrderKind.STOP,
}


def _plain(text: str) -> str:
    return text.lower().replace("_", "")


def signal(text: str | None) -> TriggerSignal | str | None:
    """Read ``mark``, ``MARK_PRICE``, ``MarkPrice`` and the like; what we do not know stays as it is."""
    return None if text is None else _SIGNALS.get(_plain(text).removesuffix("price"), text)


def unit(text: str | None) -> Unit | str | None:
    """Read ``PERCENT``, ``Percent``, ``QUOTE_CURRENCY``, ``QuoteCurrency``."""
    return None if text is None else _UNITS.get(_plain(text), text)


def trigger_side(text: str | None) -> TriggerSide | str | None:
    """Read ``trigger_above``, ``TRIGGER_BELOW``, ``Above``."""
    if text is None:
        return None
    word = _plain(text).removeprefix("trigger")
    return TriggerSide(word) if word in ("above", "below") else text


def side(text: str | None) -> Side | str | None:
    """Read ``buy`` or ``Sell``; ``Unknown`` stays."""
    if text is None:
        return None
    word = text.lower()
    return Side(word) if word in ("buy", "sell") else text


def kind(text: str | None) -> OrderKind | str | None:
    """Read an order type: ``lmt``, ``Limit``, ``IoC``; ``liquidation`` and others stay as they are."""
    return None if text is None else _KINDS.get(_plain(text), text)
