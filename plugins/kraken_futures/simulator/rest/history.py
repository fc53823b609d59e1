"""The history service: pages of events, newest first unless asked otherwise, and the account log.

See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events and its neighbours
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from exchange_core.connector.rest import HttpReply
from exchange_core.connector.simulation import SimExchange
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import Arguments, Refused, illegal, iso, json_reply
from kraken_futures.simulator.markets.contracts import Contract, Contracts
from kraken_futures.simulator.past import account_log
from kraken_futures.simulator.past import events as history_events
from kraken_futures.simulator.past.chronicle import Chronicle
from kraken_futures.simulator.past.events import account_id
from kraken_futures.simulator.past.record import Row, Stream

_PAGE = 1000
_LAST = 2**53
_LOG_PAGE, _LOG_MOST, _CSV_MOST = 500, 100_000, 500_000
_CHANGES = frozenset({"opened", "closed", "increased", "decreased", "reversed", "no_change"})
_CAUSES = frozenset({"trades", "funding_realization", "settlement"})

Fields = dict[str, Any]
Numbered = Iterable[tuple[int, Row]]


class History:
    """Answers with pages. A token says where the next page begins, and goes with one direction."""

    def __init__(self, exchange: SimExchange, contracts: Contracts, chronicle: Chronicle) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._chronicle = chronicle

    # ── of an account ──

    def executions(self, account: str, given: Arguments) -> HttpReply:
        return self._own(account, self._chronicle.of(account).executions, given)

    def orders(self, account: str, given: Arguments) -> HttpReply:
        return self._own(account, self._chronicle.of(account).orders, given, frozenset({"opened", "closed"}))

    def triggers(self, account: str, given: Arguments) -> HttpReply:
        return self._own(account, self._chronicle.of(account).triggers, given, frozenset({"opened", "closed"}))

    def positions(self, account: str, given: Arguments) -> HttpReply:
        return self._own(account, self._chronicle.of(account).positions, given, _CHANGES, _CAUSES)

    def account_log(self, account: str, given: Arguments) -> HttpReply:
        """Answer with rows by id, which have no token: the next page is asked for by its ids."""
        found = self._log(account, given)
        count = given.integer("count", _LOG_PAGE, 1, _LOG_MOST)
        return json_reply({"accountUid": account_id(account), "logs": found[:count]})

    def account_log_csv(self, account: str, given: Arguments) -> HttpReply:
        body = account_log.as_csv(self._log(account, given)[:_CSV_MOST])
        return HttpReply(200, {"content-type": "text/csv"}, body)

    def _log(self, account: str, given: Arguments) -> list[Fields]:
        since, before = _bounds(given)
        first, last = (given.integer(name, default, 1, _LAST) for name, default in (("from", 1), ("to", _LAST)))
        wanted, ascending = set(given.all("info")), _ascending(given)
        if not wanted <= account_log.WORDS:
            raise illegal("info")
        details = given.flag("conversion_details")
        found = [
            account_log.for_rest(place + 1, row, conversions=details)
            for place, row in self._chronicle.of(account).log.numbered()
            if first <= place + 1 <= last
            and since <= to_millis(row.time) < before
            and (not wanted or row.info in wanted)
        ]
        return found if ascending else found[::-1]

    # ── of a market ──

    def market(self, name: str, what: str, given: Arguments) -> HttpReply:
        contract = self._contracts.find(name)
        if contract is None:
            raise Refused("notFound", 404)
        record = self._chronicle.market(contract.symbol)
        match what:
            case "executions":
                trades = self._exchange.trades(contract.symbol)
                rows: Numbered = (
                    (trade.trade_id, history_events.public_execution(contract, trade)) for trade in trades
                )
            case "orders":
                rows = (
                    (number, history_events.public_event(contract, kind, order))
                    for number, (kind, order) in record.orders.numbered()
                )
            case _:
                self._chronicle.look()
                rows = record.prices.numbered()
        return self._page(rows, given, lambda row: True, {})

    # ── pages ──

    def _own(self, account: str, stream: Stream[Row], given: Arguments, *groups: frozenset[str]) -> HttpReply:
        """Page through rows that have, of each group of filters of which some are asked for, any."""
        contract = self._tradeable(given)
        asked = [wanted for group in groups if (wanted := {name for name in group if given.flag(name)})]

        def keep(row: Row) -> bool:
            return (contract is None or row.symbol == contract.symbol) and all(row.flags & each for each in asked)

        return self._page(stream.numbered(), given, keep, {"accountUid": account_id(account)})

    def _tradeable(self, given: Arguments) -> Contract | None:
        if "tradeable" not in given:
            return None
        contract = self._contracts.find(given.text("tradeable"))
        if contract is None:
            raise illegal("tradeable")
        return contract

    def _page(self, rows: Numbered, given: Arguments, keep: Callable[[Row], bool], head: Fields) -> HttpReply:
        since, before = _bounds(given)
        ascending, count = _ascending(given), given.integer("count", _PAGE, 1, _LAST)
        start = _token(given, ascending)
        found = [
            (number, row)
            for number, row in rows
            if since <= row.millis < before
            and keep(row)
            and (start is None or (number >= start if ascending else number <= start))
        ]
        if not ascending:
            found.reverse()
        page, rest = found[: min(count, _PAGE)], found[min(count, _PAGE) :]
        answer: Fields = {**head, "elements": [row.element for _, row in page], "len": len(page)}
        answer["serverTime"] = iso(self._exchange.now())
        if not rest:
            return json_reply(answer)
        token = f"{'asc' if ascending else 'desc'}.{rest[0][0]}"
        return json_reply({**answer, "continuationToken": token}, headers={"next-continuation-token": token})


def _bounds(given: Arguments) -> tuple[int, int]:
    """Return the first millisecond that counts, and the first that does not."""
    return given.integer("since", 0, 0, _LAST), given.integer("before", _LAST, 0, _LAST)


def _ascending(given: Arguments) -> bool:
    word = given.text("sort", "desc")
    if word not in ("asc", "desc"):
        raise illegal("sort")
    return word == "asc"


def _token(given: Arguments, ascending: bool) -> int | None:
    """Return the number of the row that a page begins with."""
    text = given.text("continuation_token")
    if not text:
        return None
    direction, _, number = text.partition(".")
    if not number.isascii() or not number.isdigit() or len(number) > 20:
        raise illegal("continuation_token")
    if direction != ("asc" if ascending else "desc"):
        raise illegal("continuation_token")
    return int(number)
