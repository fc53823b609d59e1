"""One asyncio interface to many exchanges.

What is named here is imported when it is first used, so that ``import exchange_core`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exchange_core.config import Config, load_config
    from exchange_core.connector.auth import Credentials
    from exchange_core.errors import (
        AuthenticationError,
        BadRequest,
        ConfigError,
        ConnectFailed,
        ExchangeError,
        InsufficientFunds,
        InvalidValue,
        LockedOut,
        NonceRejected,
        NotSupported,
        OrderNotFound,
        OrderRefused,
        OutcomeUnknown,
        PluginError,
        ProtocolError,
        RateLimited,
        SlowConsumer,
        TimedOut,
        TransportError,
        UnknownSymbol,
        UnknownVenue,
        VenueError,
        VenueUnavailable,
    )
    from exchange_core.hub import Hub
    from exchange_core.model.account import Balance, FeeRates, Position
    from exchange_core.model.amendment import Amendment
    from exchange_core.model.asset import Asset
    from exchange_core.model.book import (
        BookByOrder,
        BookByOrderSnapshot,
        BookHealth,
        BookSnapshot,
        OrderBook,
        OrderLevel,
        QueuedOrder,
    )
    from exchange_core.model.event import BalancesUpdate, PositionsUpdate, StatusUpdate, TickerTrigger
    from exchange_core.model.fill import Fee, Fill, Liquidity
    from exchange_core.model.instrument import Instrument, InstrumentStatus
    from exchange_core.model.ledger import LedgerEntry, LedgerKind
    from exchange_core.model.market import Candle, Level, Ticker, Trade
    from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType, TimeInForce
    from exchange_core.model.side import Side
    from exchange_core.model.symbol import Symbol
    from exchange_core.model.terms import Offset, SelfTrade, TriggerBy
    from exchange_core.plugins import Plugins, load_plugins
    from exchange_core.venue.health import VenueHealth
    from exchange_core.venue.protocol import Venue
    from exchange_core.venue.venue import Surroundings, connect, open_venue

_ROOMS = {
    "config": "Config load_config",
    "connector.auth": "Credentials",
    "errors": (
        "AuthenticationError BadRequest ConfigError ConnectFailed ExchangeError InsufficientFunds InvalidValue "
        "LockedOut NonceRejected NotSupported OrderNotFound OrderRefused OutcomeUnknown PluginError ProtocolError "
        "RateLimited SlowConsumer TimedOut TransportError UnknownSymbol UnknownVenue VenueError VenueUnavailable"
    ),
    "hub": "Hub",
    "model.account": "Balance FeeRates Position",
    "model.amendment": "Amendment",
    "model.asset": "Asset",
    "model.book": "BookByOrder BookByOrderSnapshot BookHealth BookSnapshot OrderBook OrderLevel QueuedOrder",
    "model.event": "BalancesUpdate PositionsUpdate StatusUpdate TickerTrigger",
    "model.fill": "Fee Fill Liquidity",
    "model.instrument": "Instrument InstrumentStatus",
    "model.ledger": "LedgerEntry LedgerKind",
    "model.market": "Candle Level Ticker Trade",
    "model.order": "Order OrderRequest OrderStatus OrderType TimeInForce",
    "model.side": "Side",
    "model.symbol": "Symbol",
    "model.terms": "Offset SelfTrade TriggerBy",
    "plugins": "Plugins load_plugins",
    "venue.health": "VenueHealth",
    "venue.protocol": "Venue",
    "venue.venue": "Surroundings connect open_venue",
}
_HOME = {name: f"exchange_core.{room}" for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


__all__ = [
    "Amendment",
    "Asset",
    "AuthenticationError",
    "BadRequest",
    "Balance",
    "BalancesUpdate",
    "BookByOrder",
    "BookByOrderSnapshot",
    "BookHealth",
    "BookSnapshot",
    "Candle",
    "Config",
    "ConfigError",
    "ConnectFailed",
    "Credentials",
    "ExchangeError",
    "Fee",
    "FeeRates",
    "Fill",
    "Hub",
    "Instrument",
    "InstrumentStatus",
    "InsufficientFunds",
    "InvalidValue",
    "LedgerEntry",
    "LedgerKind",
    "Level",
    "Liquidity",
    "LockedOut",
    "NonceRejected",
    "NotSupported",
    "Offset",
    "Order",
    "OrderBook",
    "OrderLevel",
    "OrderNotFound",
    "OrderRefused",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "OutcomeUnknown",
    "PluginError",
    "Plugins",
    "Position",
    "PositionsUpdate",
    "ProtocolError",
    "QueuedOrder",
    "RateLimited",
    "SelfTrade",
    "Side",
    "SlowConsumer",
    "StatusUpdate",
    "Surroundings",
    "Symbol",
    "Ticker",
    "TickerTrigger",
    "TimeInForce",
    "TimedOut",
    "Trade",
    "TransportError",
    "TriggerBy",
    "UnknownSymbol",
    "UnknownVenue",
    "Venue",
    "VenueError",
    "VenueHealth",
    "VenueUnavailable",
    "connect",
    "load_config",
    "load_plugins",
    "open_venue",
]
