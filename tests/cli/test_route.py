"""``exchange route`` as a user runs it: totals, why it is no more, and what a dry run refuses."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

_HOOK = """
from exchange_core.hookspecs import hookimpl

@hookimpl
def review_order(request, instrument):
    return "more than 0.01 in one order" if request.quantity > instrument.lot_size * 1_000_000 else None
"""


@pytest.fixture
def careful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed plugin that lets no order of more than 1 million lots pass."""
    folder = tmp_path / "careful"
    info = folder / "careful-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "careful_plugin.py").write_text(_HOOK)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: careful\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[exchange_core]\ncareful = careful_plugin\n")
    monkeypatch.syspath_prepend(folder)


def one(rows: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (row,) = (row for row in rows if row["kind"] == kind)
    return row


def test_a_plan_has_totals_in_json(exchange: Any) -> None:
    rows = exchange("route", "buy", "BTC/USD", "0.0200", "--dry-run", "--json").rows
    plan, leg = one(rows, "plan"), one(rows, "leg")
    assert [row["kind"] for row in rows[:3]] == ["leg", "plan", "reason"]
    assert (plan["quantity"], plan["unfilled"], plan["asset"]) == ("0.02", "0", "USD")
    assert (plan["side"], plan["symbol"], plan["shortfalls"]) == ("buy", "BTC/USD", [])
    for total, part in (("notional", "notional"), ("fees", "fee"), ("total", "total")):
        assert Decimal(plan[total]) == Decimal(leg[part])
    assert Decimal(plan["average_price"]) == Decimal(plan["notional"]) / Decimal("0.02")
    assert Decimal(plan["all_in_price"]) == Decimal(plan["total"]) / Decimal("0.02")
    assert Decimal(plan["saving"]) == 0


def test_what_the_balance_limits_is_said(exchange: Any) -> None:
    free = {row["asset"]: row["free"] for row in exchange("balances", "spot", "--json").rows}
    rows = exchange("route", "sell", "BTC/USD", "1000000", "--dry-run", "--json").rows
    plan = one(rows, "plan")
    assert Decimal(plan["quantity"]) + Decimal(plan["unfilled"]) == 1000000
    reasons = {shortfall["reason"]: shortfall for shortfall in plan["shortfalls"]}
    assert set(reasons) == {"free_balance", "depth"}
    assert (reasons["free_balance"]["asset"], reasons["free_balance"]["free"]) == ("BTC", free["BTC"])
    assert any(row["text"].startswith("spot gives no more: ") for row in rows if row["kind"] == "reason")


def test_the_table_has_no_zeros_at_the_end_of_numbers(exchange: Any) -> None:
    answer = exchange("route", "buy", "BTC/USD", "0.0200", "--dry-run")
    assert "Plan: buy 0.02 BTC/USD" in answer.out
    assert "0.0200" not in answer.out


@pytest.mark.usefixtures("careful")
def test_a_dry_run_refuses_what_a_review_would_refuse(exchange: Any) -> None:
    assert exchange("route", "buy", "BTC/USD", "0.01", "--dry-run").status == 0
    refused = exchange("route", "buy", "BTC/USD", "0.02", "--dry-run")
    assert (refused.status, refused.out) == (1, "")
    assert "spot would not send its leg (buy 0.02 BTC/USD at " in refused.error
    assert "more than 0.01 in one order" in refused.error
