"""Accounts, by the control port: as the exchange knows them, new ones, and money from outside."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

from exchange_core.clock import Clock, SystemClock
from exchange_core.simulator.control.input import BadRequest, Body, NoSuchThing, amount, one_of, text, texts
from exchange_core.simulator.launch import AccountWanted, KeyWanted, RunningSimulator, client_settings, open_account

_LATEST = 100


class AccountCalls:
    """Shows accounts, opens them, and brings them money."""

    def __init__(self, venues: Mapping[str, RunningSimulator], clock: Clock) -> None:
        self._venues = venues
        self._deadlines = isinstance(clock, SystemClock)  # clients live by no other
        self._opened = 0

    def names(self, body: Body) -> dict[str, list[str]]:
        return {name: _names(each) for name, each in self._venues.items()}

    def look(self, body: Body, name: str) -> dict[str, Any]:
        """Return what the account has at each venue that knows it; of finished orders and fills the latest."""
        return {venue: _truth(each, name) for venue, each in self._at(name).items()}

    def open(self, body: Body) -> dict[str, Any]:
        """Open an account, or make one more key for one that there is; return addresses and keys as a start does."""
        fields = body.fields(["name", "venue", "deposits", "permissions", "tier"])
        name = text(fields, "name")
        venues = self._chosen(fields, self._venues)
        if len(venues) > 1 and (words := [key for key in ("permissions", "tier") if key in fields]):
            raise BadRequest(f"{words[0]}: each venue has its own words; say venue = {' or '.join(venues)}")
        deposits = _deposits(fields)
        for venue, each in venues.items():
            known = {asset.code for asset in each.exchange.assets()}
            if deposits is not None and (unknown := deposits.keys() - known):
                raise BadRequest(
                    f"deposits: {min(unknown)} is no asset of {venue}; there are: {', '.join(sorted(known))}"
                )
            if deposits is not None and name in each.exchange.parts.accounts:
                raise BadRequest(f"{venue} has an account {name!r}; bring it money by POST /accounts/{name}/deposit")
        wanted = AccountWanted(
            name=name,
            tier=text(fields, "tier") if "tier" in fields else "",
            keys=[KeyWanted(permissions=texts(fields, "permissions"))],
        )
        self._opened += 1
        return {venue: self._open(each, wanted, deposits) for venue, each in venues.items()}

    def deposit(self, body: Body, name: str) -> dict[str, Any]:
        """Bring an account money from outside; return what it has of it then."""
        fields = body.fields(["venue", "asset", "amount"])
        there = self._at(name)
        venues = self._chosen(fields, there)
        if len(venues) > 1:
            raise BadRequest(f"venue: {name} has an account at each of {', '.join(venues)}; say which")
        [(venue, each)] = venues.items()
        assets = {asset.code: asset for asset in each.exchange.assets()}
        asset = one_of(assets, text(fields, "asset"), f"asset of {venue}").code
        each.exchange.book_money(name, asset, amount(fields, "amount"), kind="deposit")
        return {venue: {"balances": [held for held in each.exchange.balances(name) if held.asset == asset]}}

    def _open(
        self, running: RunningSimulator, wanted: AccountWanted, deposits: dict[str, Decimal] | None
    ) -> dict[str, Any]:
        exchange = running.exchange
        # The same calls to a venue of the same seed bring the same keys.
        random = Random(f"{running.api_key} {wanted.name} {self._opened}")
        [key] = open_account(exchange, wanted, exchange.spec.deposits if deposits is None else deposits, random)
        return client_settings(running.urls, key.api_key, key.api_secret, deadlines=self._deadlines)

    def _at(self, name: str) -> dict[str, RunningSimulator]:
        found = {venue: each for venue, each in self._venues.items() if name in each.exchange.parts.accounts}
        if not found:
            there_are = sorted({known for each in self._venues.values() for known in _names(each)})
            raise NoSuchThing(f"account {name!r} is none; there are: {', '.join(there_are)}")
        return found

    def _chosen(self, fields: Mapping[str, Any], venues: Mapping[str, RunningSimulator]) -> dict[str, RunningSimulator]:
        if "venue" not in fields:
            return dict(venues)
        venue = text(fields, "venue")
        return {venue: one_of(venues, venue, "venue")}


def _deposits(fields: Mapping[str, Any]) -> dict[str, Decimal] | None:
    deposits = fields.get("deposits")
    if deposits is None:
        return None
    if not isinstance(deposits, dict):
        raise BadRequest(f'deposits: found {deposits!r}, expected an object such as {{"USD": "1000"}}')
    return {asset: amount(deposits, asset) for asset in deposits}


def _names(running: RunningSimulator) -> list[str]:
    return [account.name for account in running.exchange.parts.accounts]


def _truth(running: RunningSimulator, name: str) -> dict[str, Any]:
    exchange = running.exchange
    return {
        "balances": exchange.balances(name),
        "positions": exchange.positions(name),
        "open_orders": exchange.open_orders(name),
        "closed_orders": exchange.closed_orders(name)[:_LATEST],
        "fills": exchange.fills(name)[-_LATEST:],
    }
