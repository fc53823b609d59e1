"""``exchange history``: every entry once, also over several runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.cli.history import Kind, show_entries
from exchange_core.cli.output import Output
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.time import from_millis
from exchange_core.venue.history import Progress


def test_a_walk_that_is_cut_goes_on_where_it_was(exchange: Any, tmp_path: Path) -> None:
    whole = exchange("history", "spot", "ledger", "--json").rows
    assert len(whole) >= 5
    place = str(tmp_path / "place")
    parts = [exchange("history", "spot", "ledger", "--limit", str(n), "--cursor", place, "--json") for n in (1, 2, 99)]
    assert [answer.status for answer in parts] == [0, 0, 0]
    assert [row["id"] for answer in parts for row in answer.rows] == [row["id"] for row in whole]
    again = exchange("history", "spot", "ledger", "--cursor", place)
    assert (again.status, again.out) == (0, "0 entries\n")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize(
    ("arguments", "column"),
    [
        (["spot", "fills"], "price"),
        (["spot", "orders"], "status"),
        (["futures", "fills"], "price"),
        (["futures", "ledger"], "amount"),
        (["spot", "trades", "ETH/USD"], "price"),
        (["futures", "trades", "BTC/USD:USD"], "price"),
        (["spot", "candles", "ETH/USD", "--interval", "1"], "close"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_happened_is_shown(exchange: Any, arguments: list[str], column: str) -> None:
    exchange("place", "spot", "buy", "ETH/USD", "0.01", "--wait", "10")
    exchange("place", "futures", "buy", "BTC/USD:USD", "0.01")
    answer = exchange("history", *arguments, "--since", "2020-01-01", "--json")
    assert (answer.status, answer.error) == (0, "")
    assert all(row[column] for row in answer.rows)
    assert answer.rows or "candles" in arguments  # none may be over yet


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["spot", "trades"], ["history of trades needs a SYMBOL"]),
        (["spot", "fills", "BTC/USD"], ["history of fills is of the whole account: leave BTC/USD out"]),
        (["futures", "orders"], ["there is no list of orders that are over"]),
        (["spot", "fills", "--cursor", "nowhere/place"], ["nowhere/place", "there is no folder"]),
        (["spot", "fills", "--until", "soon"], ["--until: 'soon' is no time", "a date like 2026-11-24"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_walked_is_said(exchange: Any, arguments: list[str], parts: list[str]) -> None:
    answer = exchange("history", *arguments)
    assert (answer.status, answer.out) == (1, "")
    for part in parts:
        assert part in answer.error


def test_an_account_needs_keys(exchange: Any, tmp_path: Path, simulators: Any) -> None:
    text = f'[venues.a]\nplugin = "kraken_spot"\nrest_url = "{simulators["spot"]["rest_url"]}"\n'
    (tmp_path / "exchange.toml").write_text(text)
    answer = exchange("history", "a", "ledger", cwd=tmp_path)
    assert answer.status == 1
    assert "api_key" in answer.error


def test_a_cursor_of_another_history_is_refused_and_kept(exchange: Any, tmp_path: Path) -> None:
    place = tmp_path / "place"
    exchange("history", "spot", "ledger", "--limit", "1", "--cursor", str(place))
    before = place.read_text()
    answer = exchange("history", "spot", "fills", "--cursor", str(place))
    assert answer.status == 1
    assert "is none of the history of fills" in answer.error
    assert place.read_text() == before


def test_a_kind_that_does_not_exist(exchange: Any) -> None:
    answer = exchange("history", "spot", "dreams")
    assert answer.status == 2
    assert "ledger" in answer.error


@attrs.define
class Walk:
    """Three entries in one page."""

    given: int = 0

    @property
    def cursor(self) -> str:
        return f"after {self.given}"

    @property
    def progress(self) -> Progress:
        now = from_millis(0)
        return Progress(since=now, reached=now, until=now, count=self.given, pages=1, fraction=None)

    def __aiter__(self) -> Walk:
        return self

    async def __anext__(self) -> LedgerEntry:
        if self.given == 3:
            raise StopAsyncIteration
        self.given += 1
        return LedgerEntry(id=f"L{self.given}", time=from_millis(0), asset="USD", amount=self.given)


class Leaver(Output):
    """An output whose reader takes two rows and leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def news(self, row: Any, columns: Any) -> None:
        if len(self.shown) == 2:
            raise BrokenPipeError
        self.shown.append(row["id"])


async def test_what_was_not_shown_is_not_behind_the_cursor(tmp_path: Path) -> None:
    place, out = tmp_path / "place", Leaver()
    with pytest.raises(BrokenPipeError):
        await show_entries(out, Walk(), Kind.LEDGER, None, place)
    assert out.shown == ["L1", "L2"]
    assert place.read_text() == "after 2\n"
