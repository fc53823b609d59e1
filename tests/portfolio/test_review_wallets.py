"""News that name wallets in other words than readings do: nothing counts twice meanwhile."""

from __future__ import annotations

from decimal import Decimal

from exchange_core.model.account import Balance
from exchange_core.model.event import BalancesUpdate
from exchange_core.portfolio.holdings import Holdings


def balance(wallet: str, total: str, held: str | None = "0", asset: str = "BTC") -> Balance:
    return Balance(asset=asset, total=Decimal(total), held=None if held is None else Decimal(held), wallet=wallet)


def owned(account: Holdings) -> Decimal:
    return sum((each.total for each in account.balances.values() if each.asset == "BTC"), Decimal(0))


def test_what_earns_is_not_counted_under_two_names() -> None:
    account = Holdings("kraken")
    account._take([balance("spot", "1"), balance("auto_earn", "2")], [])
    account.merge(BalancesUpdate(balances=(balance("earn", "2.1", None),)))
    assert owned(account) == 3, "as it was read"
    assert account.lacks_held, "only a reading can tell"


def test_a_wallet_that_is_new_counts_at_once() -> None:
    account = Holdings("kraken")
    account._take([balance("spot", "3")], [])
    account.merge(BalancesUpdate(balances=(balance("spot", "1", None), balance("earn", "2", None))))
    assert owned(account) == 3


def test_what_came_during_a_reading_is_not_counted_on_top_of_it() -> None:
    account = Holdings("kraken")
    account._take([balance("spot", "1"), balance("auto_earn", "2")], [])
    account.merge(BalancesUpdate(balances=(balance("spot", "1", None), balance("earn", "2", None)), complete=True))
    assert owned(account) == 3
    account.merge(BalancesUpdate(balances=(balance("earn", "2.5", None),)))
    assert owned(account) == Decimal("3.5")
    account._take([balance("spot", "1"), balance("auto_earn", "2.5")], [])
    assert owned(account) == Decimal("3.5")
