"""Which permissions of an API key the private calls need, in the venue's words; for what is said of a refusal.

See https://docs.kraken.com/exchange/guides/rest/api-keys and the page of each call.
"""

from __future__ import annotations

from kraken_spot.types.account import Permission

P = Permission

_FUNDS, _DEPOSITS, _WITHDRAWALS = (P.QUERY_FUNDS,), (P.QUERY_FUNDS, P.ADD_FUNDS), (P.QUERY_FUNDS, P.WITHDRAW_FUNDS)
_EARN = (P.EARN_FUNDS,)
_OPEN, _CLOSED = (P.QUERY_OPEN_TRADES,), (P.QUERY_CLOSED_TRADES,)
_CHANGE, _CANCEL = (P.MODIFY_TRADES,), (P.MODIFY_TRADES, P.CLOSE_TRADES)

ALL: dict[str, tuple[Permission, ...]] = {
    **dict.fromkeys(("Balance", "BalanceEx", "CreditLines", "TradeVolume"), _FUNDS),
    **dict.fromkeys(("DepositAddresses", "DepositStatus", "WalletTransfer"), _FUNDS),
    "DepositMethods": _DEPOSITS,
    **dict.fromkeys(("WithdrawMethods", "WithdrawAddresses", "WithdrawInfo"), _WITHDRAWALS),
    **dict.fromkeys(("Withdraw", "WithdrawCancel", "CreateSubaccount", "AccountTransfer"), (P.WITHDRAW_FUNDS,)),
    **dict.fromkeys(("Earn/Allocate", "Earn/Deallocate"), _EARN),
    **dict.fromkeys(("OpenOrders", "OpenPositions", "TradeBalance", "Level3"), _OPEN),
    **dict.fromkeys(("ClosedOrders", "TradesHistory", "QueryTrades"), _CLOSED),
    **dict.fromkeys(("AddOrder", "AmendOrder"), _CHANGE),
    **dict.fromkeys(("AddOrderBatch", "EditOrder"), _CANCEL),
    **dict.fromkeys(("Ledgers", "QueryLedgers"), (P.QUERY_LEDGER,)),
    **dict.fromkeys(("AddExport", "ExportStatus", "RetrieveExport", "RemoveExport"), (P.EXPORT_DATA,)),
    "GetWebSocketsToken": (P.CREATE_WS_TOKEN,),
}
"""All of these are needed."""

ANY: dict[str, tuple[Permission, ...]] = {
    **dict.fromkeys(("CancelOrder", "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter"), _CANCEL),
    **dict.fromkeys(("QueryOrders", "OrderAmends"), (*_OPEN, *_CLOSED)),
    "WithdrawStatus": (P.WITHDRAW_FUNDS, P.QUERY_LEDGER),
}
"""One of these is needed."""


def needed(path: str) -> str:
    """Return the permissions that the call to *path* needs as words, such as ``modify-trades``; nothing if unknown."""
    name = path.removeprefix("/0/private/")
    return " and ".join(ALL.get(name, ())) or " or ".join(ANY.get(name, ()))
