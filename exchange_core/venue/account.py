"""The account at one venue: what it holds and what it did, asked for or followed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from exchange_core.connector.pages import check_time
from exchange_core.connector.spec import RestOperations, VenueConfig
from exchange_core.errors import ConfigError, ExchangeError
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.event import BalancesUpdate, Channel, LedgerUpdate, Notice, PositionsUpdate, Subscription
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.bus import Topic, topic
from exchange_core.venue.feeds import Feeds
from exchange_core.venue.following import Follower
from exchange_core.venue.stream import Overflow, Stream, Streams


class Account:
    """The private part of one venue."""

    def __init__(
        self,
        name: str,
        config: VenueConfig,
        rest: RestClient,
        operations: RestOperations,
        follower: Follower,
        feeds: Feeds,
        streams: Streams,
        *,
        has_credentials: bool,
    ) -> None:
        self._name = name
        self._config = config
        self._rest = rest
        self._operations = operations
        self._follower = follower
        self._feeds = feeds
        self._streams = streams
        self._has_credentials = has_credentials

    def require(self, what: str) -> None:
        """Raise ConfigError, which says how to give them, where there are no credentials."""
        if not self._has_credentials:
            raise ConfigError(
                f"{self._name}: {what} needs credentials; set api_key and api_secret in [venues.{self._name}] as "
                '"env:NAME" or "file:PATH", or give them to connect(...)'
            )

    async def balances(self) -> list[Balance]:
        self.require("balances")
        return await self._rest.run(self._operations.balances())

    async def positions(self) -> list[Position]:
        self.require("positions")
        return await self._rest.run(self._operations.positions())

    async def fills(self, since: datetime | None = None) -> list[Fill]:
        """Ask for executions, oldest first. Those that are news go to ``fill_updates`` too."""
        self.require("fills")
        check_time("since", since)
        fills = await self._rest.run(self._operations.fills(since))
        for fill in fills:
            self._follower.take_fill(fill)
        return fills

    async def fees(self, symbol: Symbol) -> FeeRates | None:
        """Return what is configured, and what the venue says of what is not."""
        maker, taker = self._config.maker_fee, self._config.taker_fee
        if maker is not None and taker is not None:
            return FeeRates(maker=maker, taker=taker)
        if not self._has_credentials:
            return None
        said = await self._rest.run(self._operations.fees(symbol))
        if said is None:
            return None
        return FeeRates(
            maker=said.maker if maker is None else maker,
            taker=said.taker if taker is None else taker,
        )

    def order_updates(self) -> Stream[Order]:
        return self._followed(topic(Order), Channel.ORDERS)

    def fill_updates(self) -> Stream[Fill]:
        return self._followed(topic(Fill), Channel.FILLS)

    def balance_updates(self) -> Stream[BalancesUpdate]:
        return self._direct(topic(BalancesUpdate), Channel.BALANCES)

    def position_updates(self) -> Stream[PositionsUpdate]:
        return self._direct(topic(PositionsUpdate), Channel.POSITIONS)

    def ledger_updates(self) -> Stream[LedgerUpdate]:
        return self._direct(topic(LedgerUpdate), Channel.LEDGER)

    def notices(self) -> Stream[Notice]:
        return self._direct(topic(Notice), Channel.NOTICES)

    def _followed(self, about: Topic, channel: Channel) -> Stream[Any]:
        """Return a stream of what the follower makes of orders and fills."""

        def attach(end: Callable[[ExchangeError], None]) -> Callable[[], None]:
            self._follower.follow(self._feeds)
            return self._follower.join(end)

        return self._open(about, channel, attach)

    def _direct(self, about: Topic, channel: Channel) -> Stream[Any]:
        """Return a stream of what the venue says."""
        subscription = Subscription(channel)

        def attach(end: Callable[[ExchangeError], None]) -> Callable[[], None]:
            self._feeds.attach(subscription, end)
            return lambda: self._feeds.detach(subscription, end)

        return self._open(about, channel, attach)

    def _open(
        self, about: Topic, channel: Channel, attach: Callable[[Callable[[ExchangeError], None]], Callable[[], None]]
    ) -> Stream[Any]:
        self.require(f"live {channel}")
        self._feeds.check(channel)
        return self._streams.open(
            f"{self._name}: {channel}",
            about,
            Overflow.RAISE,
            attach=attach,
            confirm=lambda: self._feeds.confirmed(Subscription(channel)),
        )
