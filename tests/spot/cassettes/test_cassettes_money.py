"""Recorded calls of ``operations.funding``, ``operations.transfers`` and ``operations.earn``, played back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from exchange_core.errors import BadRequest, OrderRefused, RateLimited
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.types.earn import EarnAmount, EarnPart, EarnState, LockType
from kraken_spot.types.funding import (
    AccountTransfer,
    DepositAddress,
    DepositMethod,
    StatusDetail,
    Transaction,
    TransactionStatus,
    TransferStatus,
    WithdrawAddress,
    WithdrawInfo,
    WithdrawMethod,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(seconds=75)
STAKED = "ESSOL02-BONDE-SOLSOL"
ADDRESS = DepositAddress(
    address="sim1f434f88da55719851321cd15fbc34aa916c8be", tag=None, memo=None, expires=None, new=True
)
BOOKED = "sim1aac1c1cf043bfe0c0152e0aea3ab7a38291261"


# Deposits.


async def test_a_way_in(player: CassettePlayer) -> None:
    found = await player.run("funding.deposit_methods", lambda do: do.funding.deposit_methods("BTC"))
    assert found.items == (
        DepositMethod(
            method="Bitcoin",
            limit=None,
            fee=Decimal(0),
            setup_fee=None,
            makes_addresses=True,
            minimum=Decimal("0.0004"),
        ),
    )


async def test_a_new_address_and_the_same_later(player: CassettePlayer) -> None:
    new = await player.run("funding.new_deposit_address", lambda do: do.funding.new_deposit_address("BTC", "Bitcoin"))
    assert new.items == (ADDRESS,)
    known = await player.run("funding.deposit_addresses", lambda do: do.funding.deposit_addresses("BTC", "Bitcoin"))
    assert known.items == (attrs.evolve(ADDRESS, new=False),)


async def test_a_method_that_there_is_not(player: CassettePlayer) -> None:
    with pytest.raises(BadRequest) as refused:
        await player.run("funding.deposit_addresses.refused", lambda do: do.funding.deposit_addresses("BTC", "Pigeon"))
    assert refused.value.codes == ("EFunding:No funding method",)


async def test_pages_of_deposits(player: CassettePlayer) -> None:
    page = await player.run("funding.deposits_page", lambda do: do.funding.deposits_page(limit=2))
    assert page.items[0] == Transaction(
        reference="TDEHWD-ABOZP-FVRGOQ",
        asset="SOL",
        wallet="spot",
        asset_class="currency",
        method="Solana",
        network=None,
        amount=Decimal(100),
        fee=Decimal(0),
        time=START,
        status=TransactionStatus.SUCCESS,
        detail=None,
        txid="8207883a6af2b907d0315ecebf14097899a18277b78a3b27c591febf1a217ed0",
        info="sim156a65b7272e8f6342266eeb14d93a2e34a5625",
        key=None,
        originators=(),
    )
    last = await player.run("funding.deposits_page.next", lambda do: do.funding.deposits_page(page.cursor, limit=2))
    assert [(one.asset, one.method, one.amount) for one in (*page.items, *last.items)] == [
        ("SOL", "Solana", 100),
        ("ETH", "Ether (Hex)", 10),
        ("BTC", "Bitcoin", 1),
        ("EUR", "SEPA", 20_000),
    ]
    assert (page.cursor, last.cursor) == ("2", "4")


# Withdrawals.


async def test_a_way_out(player: CassettePlayer) -> None:
    found = await player.run("funding.withdraw_methods", lambda do: do.funding.withdraw_methods("SOL"))
    assert found.items == (WithdrawMethod(asset="SOL", method="Solana", network="Solana", minimum=Decimal("0.02")),)


async def test_an_address_of_the_address_book(player: CassettePlayer) -> None:
    """Its name is called its key, and what is called so no cassette keeps."""
    found = await player.run("funding.withdraw_addresses", lambda do: do.funding.withdraw_addresses("BTC"))
    assert found.items == (
        WithdrawAddress(
            key="SCRUBBED",
            asset="BTC",
            method="Bitcoin",
            network="Bitcoin",
            address=BOOKED,
            memo=None,
            verified=True,
        ),
    )


async def test_what_a_withdrawal_would_be(player: CassettePlayer) -> None:
    info = await player.run("funding.withdraw_info", lambda do: do.funding.withdraw_info("BTC", "my btc", "0.1"))
    assert info == WithdrawInfo(
        method="Bitcoin", limit=Decimal("0.99998"), amount=Decimal("0.09998"), fee=Decimal("0.00002")
    )


async def test_a_withdrawal_is_asked_for_and_canceled(player: CassettePlayer) -> None:
    reference = await player.run(
        "funding.withdraw", lambda do: do.funding.withdraw("BTC", "my btc", "0.1", max_fee="0.0001")
    )
    assert reference == "FII5DXX-YF25ME4K4RWLYNYFMGXFC"
    canceled = await player.run("funding.cancel_withdrawal", lambda do: do.funding.cancel_withdrawal("BTC", reference))
    assert canceled is True


async def test_more_than_there_is_cannot_be_withdrawn(player: CassettePlayer) -> None:
    with pytest.raises(OrderRefused) as refused:
        await player.run("funding.withdraw.refused", lambda do: do.funding.withdraw("BTC", "my btc", "100"))
    assert refused.value.codes == ("EFunding:Insufficient funds",)


async def test_withdrawals_newest_first(player: CassettePlayer) -> None:
    page = await player.run("funding.withdrawals_page", lambda do: do.funding.withdrawals_page(asset="BTC"))
    first, canceled = page.items
    assert (page.cursor, page.unreadable) == (None, ())
    assert (first.reference, first.status, first.detail) == (
        "F4KRRQN-6QS37DUOZUCRTVY6BM56F",
        TransactionStatus.INITIAL,
        None,
    )
    assert (first.amount, first.fee, first.info, first.time) == (
        Decimal("0.19998"),
        Decimal("0.00002"),
        BOOKED,
        NOW + timedelta(seconds=1),
    )
    assert (canceled.status, canceled.detail, canceled.txid) == (
        TransactionStatus.FAILURE,
        StatusDetail.CANCELED,
        None,
    )


# Transfers.


async def test_money_for_futures(player: CassettePlayer) -> None:
    reference = await player.run("transfers.to_futures", lambda do: do.transfers.to_futures("USD", "12.5"))
    assert reference == "FMTJLQJ-PUIR5JVWXJAAYHSBUFNYV"
    with pytest.raises(OrderRefused) as refused:
        await player.run("transfers.to_futures.refused", lambda do: do.transfers.to_futures("USD", "9000000"))
    assert refused.value.codes == ("EFunding:Insufficient funds",)


async def test_a_subaccount_and_money_for_it(player: CassettePlayer) -> None:
    made = await player.run(
        "transfers.create_subaccount", lambda do: do.transfers.create_subaccount("desk", "desk@example.com")
    )
    assert made is True
    between = {"source": "AA04 F899 6DA7 63B7", "destination": "AA49 BE41 7AD7 4080"}
    sent = await player.run(
        "transfers.between_accounts", lambda do: do.transfers.between_accounts("USD", "1", **between)
    )
    assert sent == AccountTransfer(id="FDG3BLQ-EDLOEVNOTIUSVNLYXQ27E", status=TransferStatus.COMPLETE)


# Earn.


async def test_strategies(player: CassettePlayer) -> None:
    page = await player.run("earn.strategies", lambda do: do.earn.strategies(asset="SOL"))
    instant, bonded = page.items
    assert (page.cursor, page.unreadable) == (None, ())
    assert (instant.id, instant.asset, instant.lock) == ("ESSOL01-INSTA-SOLSOL", "SOL", LockType.INSTANT)
    assert (instant.apr_low, instant.apr_high) == (Decimal("0.03"), Decimal("0.05"))
    assert (bonded.id, bonded.lock, bonded.user_min_allocation) == (STAKED, LockType.BONDED, Decimal("0.02"))
    assert (bonded.unbonding_period, bonded.unbonding_earns) == (timedelta(days=2), False)
    assert (bonded.payout_every, bonded.can_allocate, bonded.restrictions) == (timedelta(weeks=1), True, ())


async def test_an_allocation_takes_its_time(player: CassettePlayer) -> None:
    assert await player.run("earn.allocate", lambda do: do.earn.allocate(STAKED, "5")) is None
    assert await player.run("earn.allocate_pending", lambda do: do.earn.allocate_pending(STAKED)) is True
    with pytest.raises(RateLimited) as refused:
        await player.run("earn.allocate.refused", lambda do: do.earn.allocate(STAKED, "1"))
    assert refused.value.codes == ("EEarnings:Busy:Another (de)allocation for the same strategy is in progress",)


async def test_a_deallocation(player: CassettePlayer) -> None:
    assert await player.run("earn.deallocate", lambda do: do.earn.deallocate(STAKED, "2")) is None
    assert await player.run("earn.deallocate_pending", lambda do: do.earn.deallocate_pending(STAKED)) is False


async def test_allocations(player: CassettePlayer) -> None:
    """Five SOL at 140 dollars went in, and two of them are on their way out."""
    found = await player.run("earn.allocations", lambda do: do.earn.allocations(converted_asset="USD"))
    assert (found.converted_asset, found.total_allocated, found.total_rewarded) == ("USD", 700, 0)
    (allocation,) = found.items
    assert (allocation.strategy_id, allocation.asset) == (STAKED, "SOL")
    assert allocation.total == EarnAmount(native=Decimal(5), converted=Decimal(700))
    two = EarnAmount(native=Decimal(2), converted=Decimal(280))
    since = NOW + timedelta(seconds=3)
    assert allocation.unbonding == EarnState(
        amount=two, count=1, parts=(EarnPart(amount=two, created=since, expires=since + timedelta(days=2)),)
    )
    assert (allocation.bonding, allocation.exit_queue, allocation.pending) == (None, None, None)
