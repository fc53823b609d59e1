"""What is known of one venue's account, from its answers and its news."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.partial import left_out
from exchange_core.errors import NotSupported
from exchange_core.model.account import Balance, Position
from exchange_core.model.event import BalancesUpdate, PositionsUpdate
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.view import VenueReading
from exchange_core.venue.health import VenueHealth
from exchange_core.venue.protocol import Venue


@attrs.define
class Holdings:
    """One account. A failed reading leaves what was known before, and says since when it is old.

    Attributes:
        reason: Why the last reading failed.
        not_live: Which news do not come, and why.
        lost: Which of its connections is lost; or that one was, and the account was not read since.
        is_behind: All is connected again, and only a reading can tell what was missed meanwhile.
        lacks_held: An update told totals without what of them is held, or of a wallet that may be known by another
            name; only a reading can tell.
    """

    venue: str
    balances: dict[tuple[str, str], Balance] = attrs.field(factory=dict)
    positions: dict[Symbol, Position] = attrs.field(factory=dict)
    read_at: datetime | None = None
    reason: str | None = None
    not_live: dict[str, str] = attrs.field(factory=dict)
    lost: str | None = None
    is_behind: bool = False
    lacks_held: bool = False
    _read_after: int | None = 0
    _meanwhile: list[BalancesUpdate | PositionsUpdate] = attrs.field(factory=list)

    @property
    def reading(self) -> VenueReading:
        unheard = (f"{what} are not followed live: {why}" for what, why in sorted(self.not_live.items()))
        return VenueReading(venue=self.venue, read=self.read_at, reason=self.lost or self.reason or next(unheard, None))

    async def read(self, venue: Venue, clock: Clock) -> None:
        """Read the account whole.

        Raises:
            ExchangeError: What the venue said; nothing was taken.
        """
        self._meanwhile.clear()
        health = venue.health()
        await venue.instruments()
        balances = await venue.balances()
        try:
            positions = await venue.positions()
        except NotSupported:
            # Positions that its plugin cannot read; its balances count all the same.
            positions = ()
        self._take(balances, positions)
        unread = (*left_out(balances), *left_out(positions))
        self.read_at = clock.now()
        self.reason = f"{len(unread)} entries of its account do not read, as in: {unread[0]}" if unread else None
        # What is read while no news come may have changed when they come again.
        self._read_after = None if _lost(health) else _losses(health)
        self.look(venue.health())

    def look(self, health: VenueHealth) -> None:
        """Note how the connections stand by which news of the account come."""
        self.lost = _lost(health)
        self.is_behind = self.lost is None and self.read_at is not None and _losses(health) != self._read_after
        if self.is_behind:
            self.lost = "its connection was lost, and the account was not read since"

    def merge(self, update: BalancesUpdate | PositionsUpdate) -> None:
        """Merge news."""
        self._meanwhile.append(update)
        self._apply(update)

    def _take(self, balances: Iterable[Balance], positions: Iterable[Position]) -> None:
        self.lacks_held = False
        # What a list lacks because it does not read is not gone.
        known, held = (self.balances if left_out(balances) else {}), (self.positions if left_out(positions) else {})
        merged = known | {(each.wallet, each.asset): each for each in balances}
        self._apply(BalancesUpdate(balances=tuple(merged.values()), complete=True))
        self._apply(PositionsUpdate(positions=(*held.values(), *positions), complete=True))
        # News that came during the reading may be newer than its answer. If they are older, newer ones are on the way.
        for update in self._meanwhile:
            self._apply(update)
        self._meanwhile.clear()

    def _apply(self, update: BalancesUpdate | PositionsUpdate) -> None:
        if isinstance(update, BalancesUpdate):
            known, self.balances = self.balances, {} if update.complete else self.balances
            for balance in update.balances:
                if update.complete or not self._may_be_renamed(balance):
                    self._keep(balance, known.get((balance.wallet, balance.asset)))
                else:
                    self.lacks_held = True
        else:
            self.positions = {} if update.complete else self.positions
            for position in update.positions:
                if position.quantity or update.complete:
                    self.positions[position.symbol] = attrs.evolve(position, venue=self.venue)
                else:
                    self.positions.pop(position.symbol, None)

    def _may_be_renamed(self, balance: Balance) -> bool:
        """Return whether news may name a wallet that a reading named otherwise: it must not count twice."""
        if (balance.wallet, balance.asset) in self.balances or balance.wallet == "spot":
            return False
        return any(asset == balance.asset and wallet != "spot" for wallet, asset in self.balances)

    def _keep(self, balance: Balance, known: Balance | None) -> None:
        held = balance.held
        if held is None and known is not None and known.total == balance.total:
            # The same total again, by a channel that never says what is held: nothing new.
            held = known.held
        self.balances[balance.wallet, balance.asset] = attrs.evolve(balance, held=held, venue=self.venue)
        self.lacks_held = self.lacks_held or held is None


def _lost(health: VenueHealth) -> str | None:
    """Return which connection no news come by any more; one that is being opened for the first time is not lost."""
    if health.account_error is not None:
        return f"the account is not followed live: {health.account_error}"
    for name, feed in health.feeds.items():
        if feed.is_account and feed.state != "open" and (feed.losses or feed.state == "failed"):
            return f"its {name} connection is lost" + (
                f" since {feed.since:%Y-%m-%d %H:%M:%S} UTC" if feed.since else ""
            )
        if feed.is_account and feed.unanswered and feed.losses:
            return f"its {name} connection is open again, and {feed.unanswered} subscriptions are not answered yet"
    return None


def _losses(health: VenueHealth) -> int:
    return sum(feed.losses for feed in health.feeds.values() if feed.is_account)
