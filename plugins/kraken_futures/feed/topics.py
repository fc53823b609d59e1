"""Which feed of the venue a subscription is, and which product of it.

See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

from collections.abc import Mapping

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ConfigError, NotSupported
from exchange_core.model.event import Channel, Subscription

VARIANTS = {Channel.TICKER: ("ticker_lite",), Channel.ORDERS: ("open_orders",)}
"""Feeds that tell less of a channel than its usual one, for ``Subscription.variant``."""


def feed_and_product(
    subscription: Subscription, context: VenueContext, channels: Mapping[Channel, str], *, private: bool
) -> tuple[str, str]:
    """Return the feed and the product, which is empty for feeds of the account.

    Raises:
        NotSupported: This connection or the venue has no such thing.
        ConfigError: It needs credentials.
        UnknownSymbol: The venue lists no such contract.
    """
    venue, channel = context.venue, subscription.channel
    feed = channels.get(channel)
    if feed is None:
        raise NotSupported(f"{venue}: this feed has no channel {channel}; it has {', '.join(channels)}")
    if subscription.trigger is not None:
        raise NotSupported(f"{venue}: a ticker comes once a second; trigger {subscription.trigger} is not offered")
    if subscription.variant is not None:
        feeds = (feed, *VARIANTS.get(channel, ()))
        if subscription.variant not in feeds:
            raise NotSupported(f"{venue}: {channel} has no feed {subscription.variant!r}; it has {', '.join(feeds)}")
        feed = subscription.variant
    if private:
        if context.signer is None:
            raise ConfigError(f"{venue}: channel {channel} needs api_key and api_secret", venue=venue)
        return feed, ""
    if subscription.symbol is None:
        raise NotSupported(f"{venue}: channel {channel} needs a symbol", venue=venue)
    return feed, context.symbols.wire(subscription.symbol)
