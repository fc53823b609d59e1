"""Money that comes in or goes out while the exchange runs."""

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.simulation import BalanceChanged, Refusal, SimEvent, SimRefused


def total(desk: Any, account: str, asset: str) -> Decimal:
    [found] = [row.total for row in desk.exchange.balances(account) if row.asset == asset]
    return Decimal(found)


def test_money_comes_and_goes_with_an_entry_and_its_fee(desk: Any) -> None:
    heard: list[SimEvent] = []
    desk.exchange.listen(heard.append)
    before = total(desk, "alice", "USD")
    entry = desk.exchange.book_money("alice", "USD", Decimal(-100), kind="withdrawal", fee=Decimal("1.5"))
    assert (entry.kind, entry.amount, entry.fee, entry.balance) == (
        "withdrawal",
        Decimal(-100),
        Decimal("1.5"),
        before - Decimal("101.5"),
    )
    assert heard == [BalanceChanged(entry=entry)]
    assert desk.exchange.ledger("alice")[-1] == entry
    desk.exchange.check_invariants()
    desk.exchange.book_money("alice", "USD", Decimal(100), kind="deposit", reference="R")
    assert desk.exchange.ledger("alice")[-1].reference == "R"
    desk.exchange.check_invariants()


def test_what_an_order_keeps_back_cannot_leave(desk: Any) -> None:
    desk.place("alice", "buy", "1", "100")
    held = next(row for row in desk.exchange.balances("alice") if row.asset == "USD")
    with pytest.raises(SimRefused) as refused:
        desk.exchange.book_money("alice", "USD", -(held.total - held.held) - 1, kind="withdrawal")
    assert refused.value.refusal is Refusal.INSUFFICIENT_FUNDS
    desk.exchange.book_money("alice", "USD", -(held.total - held.held), kind="withdrawal")
    desk.exchange.check_invariants()
