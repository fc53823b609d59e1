"""Names in balances: which asset, in which wallet, and whether it can be used."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchange_core.connector.naming import AssetMap
from kraken_spot.naming import balance_asset, load_assets, usable
from kraken_spot.parse import common as parse
from kraken_spot.wire import common as wire
from tests.spot.naming.conftest import asset, raw


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("XXBT", ("BTC", "spot")),
        ("ZUSD", ("USD", "spot")),
        ("XBT.M", ("BTC", "rewards")),
        ("XBT.F", ("BTC", "auto_earn")),
        ("USD.B", ("USD", "yield")),
        ("DOT.S", ("DOT", "staked")),
        ("DOT28.S", ("DOT", "staked")),
        ("DOT.P", ("DOT", "parachain")),
        ("USD.HOLD", ("USD", "hold")),
        ("ETH2", ("ETH2", "spot")),
        ("ETH2.S", ("ETH2", "staked")),
        ("1INCH.S", ("1INCH", "staked")),
        ("AAPLx.T", ("AAPLx", "tokenized")),
        ("NEW99.S", ("NEW99", "staked")),
        ("NEW.Q", ("NEW.Q", "spot")),
        ("XBT.Q", ("BTC", "q")),
        ("XBT.q", ("XBT.q", "spot")),
        ("XBT.", ("XBT.", "spot")),
        ("xbt", ("xbt", "spot")),
        ("ETH228.S", ("ETH2", "staked")),
        ("DOT28.M", ("DOT", "rewards")),
        (".S", (".S", "spot")),
        ("", ("", "spot")),
    ],
)
def test_names_in_balances(assets: AssetMap, name: str, expected: tuple[str, str]) -> None:
    """A suffix is a wallet; what no table knows stays as it is."""
    assert balance_asset(name, assets) == expected


@pytest.mark.parametrize("name", ["XBT.Q", "NEW.Q", "NEW"])
def test_names_that_are_not_known_are_counted(assets: AssetMap, name: str) -> None:
    balance_asset(name, assets)
    assert assets.unknown == {name: 1}


@pytest.mark.parametrize("name", ["XBT.M", "XBT.F", "USD.B", "DOT28.S", "KSM"])
def test_wallets_of_known_assets_are_not_reported(assets: AssetMap, name: str) -> None:
    """``.F`` and ``.B`` are in no list, and known all the same."""
    load_assets(raw({"KSM": asset("KSM")}), assets)
    balance_asset(name, assets)
    assert not assets.unknown


@pytest.mark.parametrize(
    ("wallet", "expected"),
    [("spot", True), ("staked", False), ("parachain", False), ("hold", False)]
    + [(wallet, None) for wallet in ("rewards", "yield", "auto_earn", "tokenized", "q", "earn")],
)
def test_what_can_be_used_of_a_wallet(wallet: str, expected: bool | None) -> None:
    assert usable(wallet) is expected


def test_balances_say_where_money_is_and_whether_it_can_be_used(assets: AssetMap) -> None:
    amounts = {"XXBT": "1", "XBT.M": "2", "DOT": "3", "DOT.S": "4", "DOT28.S": "5", "XBT.Q": "6", "NEW.Q": "7"}
    answer = {name: wire.Balance(balance=Decimal(amount)) for name, amount in amounts.items()}
    found = parse.balances(answer, assets, "kraken")
    assert {(each.asset, each.wallet, each.total, each.usable, each.free) for each in found} == {
        ("BTC", "spot", Decimal(1), True, Decimal(1)),
        ("BTC", "rewards", Decimal(2), None, None),
        ("DOT", "spot", Decimal(3), True, Decimal(3)),
        ("DOT", "staked", Decimal(9), False, Decimal(0)),
        ("BTC", "q", Decimal(6), None, None),
        ("NEW.Q", "spot", Decimal(7), True, Decimal(7)),
    }
    assert sum(each.total for each in found) == sum(map(Decimal, amounts.values()))
