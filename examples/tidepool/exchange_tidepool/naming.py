"""Tidepool's names and ours, by table: its coins, markets, channels and words for an order's state."""

from decimal import Decimal

from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported
from exchange_core.model.asset import Asset
from exchange_core.model.event import Channel, Subscription
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.order import OrderRequest, OrderStatus, OrderType, TimeInForce
from exchange_core.model.symbol import Symbol
from exchange_tidepool import wire

COINS = {"ETHER": "ETH"}
"""Coins that Tidepool names differently."""

STATUS: dict[wire.State, OrderStatus] = {
    "resting": OrderStatus.OPEN,
    "part": OrderStatus.PARTIALLY_FILLED,
    "done": OrderStatus.FILLED,
    "pulled": OrderStatus.CANCELED,
    "lapsed": OrderStatus.EXPIRED,
}

HOW: dict[tuple[OrderType, TimeInForce, bool], wire.How] = {
    (OrderType.LIMIT, TimeInForce.GTC, False): "rest",
    (OrderType.LIMIT, TimeInForce.GTC, True): "post",
    (OrderType.LIMIT, TimeInForce.IOC, False): "now",
    (OrderType.MARKET, TimeInForce.IOC, False): "market",
    (OrderType.MARKET, TimeInForce.GTC, False): "market",
}
"""From type, time in force and post-only to Tidepool's one word for all three."""

PUBLIC = frozenset({Channel.BOOK, Channel.TRADES})
PRIVATE = frozenset({Channel.ORDERS, Channel.FILLS, Channel.BALANCES})

MEANING = {word: meaning for meaning, word in HOW.items()}


def how(request: OrderRequest, venue: str) -> wire.How:
    """Return Tidepool's word for what *request* wants; refuse what it has no word for."""
    word = HOW.get((request.type, request.time_in_force, request.post_only))
    if word is None:
        raise NotSupported(
            f"{venue}: no {request.type} order with time_in_force {request.time_in_force}; it takes gtc and ioc",
            venue=venue,
        )
    if request.reduce_only:
        raise NotSupported(f"{venue}: reduce_only is for derivatives; this is a spot exchange", venue=venue)
    return word


def learn(listing: wire.Markets, context: VenueContext) -> list[Instrument]:
    """Take over what the exchange lists into the maps that all rooms share."""
    for coin in listing.coins:
        asset = Asset(code=COINS.get(coin.name, coin.name), venue_id=coin.name, decimals=coin.decimals)
        context.assets.add(asset)
    instruments = []
    for market in listing.markets:
        instrument = Instrument(
            symbol=Symbol(context.assets.code(market.base), context.assets.code(market.quote)),
            venue_id=market.name,
            tick_size=Decimal(market.tick),
            lot_size=Decimal(market.lot),
            min_quantity=Decimal(market.least),
            status=InstrumentStatus.ONLINE if market.open else InstrumentStatus.OFFLINE,
        )
        context.symbols.add(instrument)
        instruments.append(instrument)
    return instruments


def channel(subscription: Subscription, symbols: SymbolMap) -> str:
    """Write a subscription as Tidepool does: ``book.BTC-USD``, ``orders``."""
    if subscription.symbol is None:
        return str(subscription.channel)
    return f"{subscription.channel}.{symbols.wire(subscription.symbol)}"


def symbol(channel: str, symbols: SymbolMap) -> Symbol:
    return symbols.from_venue(channel.partition(".")[2])


def subscription(channel: str, symbols: SymbolMap) -> Subscription:
    """Read a channel's name."""
    if channel in PRIVATE:
        return Subscription(Channel(channel))
    return Subscription(Channel(channel.partition(".")[0]), symbol(channel, symbols))
