"""What a Kraken Spot account holds, borrows, pays and may do; reached as ``operations.account``.

What the normalised calls give already (balances with what is held, the fees of one pair) is not repeated here.
See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.account import Balance
from exchange_core.model.symbol import Symbol
from kraken_spot.dialect import read
from kraken_spot.parse import account as parse
from kraken_spot.parse.rows import Listing, readable
from kraken_spot.rest.calls import asset_id, private
from kraken_spot.tokenized import classed, is_tokenized
from kraken_spot.types.account import ApiKeyInfo, CreditLines, OpenPosition, TradeBalance, TradeVolume
from kraken_spot.wire import account as wire

_CreditLines = dict[str, dict[str, msgspec.Raw]] | None


@attrs.frozen
class AccountCalls:
    """Calls about the account as a whole."""

    _context: VenueContext

    def balance(self) -> Flow[list[Balance]]:
        """Return totals by asset and wallet, with what open orders hold and without telling how much that is."""
        answer: dict[str, Decimal] = yield private("Balance", dict[str, Decimal])
        return parse.balances(answer, self._context.assets, self._context.venue)

    def credit_lines(self) -> Flow[CreditLines | None]:
        """Return what may be borrowed; None for accounts without credit lines."""
        answer: Mapping[str, Mapping[str, msgspec.Raw]] | None = yield private("CreditLines", _CreditLines)
        return None if answer is None else parse.credit_lines(answer, self._context.assets)

    def trade_balance(self, asset: str = "USD") -> Flow[TradeBalance]:
        """Return collateral and margin, counted in *asset*."""
        params = {"asset": asset_id(self._context, asset)}
        answer: wire.TradeBalance = yield private("TradeBalance", wire.TradeBalance, params)
        return parse.trade_balance(answer, asset)

    def open_positions(self, *txids: str, calculate: bool = False) -> Flow[Listing[OpenPosition]]:
        """List margin positions.

        Args:
            txids: All without.
            calculate: With their value and profit.
        """
        params = {"txid": txids or None, "docalcs": calculate or None}
        answer: dict[str, msgspec.Raw] = yield private("OpenPositions", dict[str, msgspec.Raw], params)
        return readable(answer, wire.Position, self._position)

    def positions_by_market(self, *, calculate: bool = False) -> Flow[Listing[OpenPosition]]:
        """List margin positions, those of a market as one."""
        params = {"docalcs": calculate or None, "consolidation": "market"}
        answer: msgspec.Raw = yield private("OpenPositions", msgspec.Raw, params)
        # Open point: a list, it is said, where single positions come as a map.
        if bytes(answer).lstrip().startswith(b"["):
            rows: list[msgspec.Raw] = read(answer, list[msgspec.Raw], "OpenPositions")
        else:
            rows = list(read(answer, dict[str, msgspec.Raw], "OpenPositions").values())
        return readable(rows, wire.Position, lambda _, row: self._position("", row))

    def trade_volume(
        self, *symbols: Symbol | str, fee_schedule: bool = False, asset_class: str | None = None
    ) -> Flow[TradeVolume]:
        """Return the volume of 30 days, and the fees of *symbols*.

        Args:
            fee_schedule: With all tiers.
            asset_class: Of pairs that are not of currencies; that of tokenised assets is known.
        """
        ours = [Symbol.of(symbol) for symbol in symbols]
        pairs = [self._context.symbols.venue_id(symbol) for symbol in ours]
        params: dict[str, Any] = {"pair": pairs or None, "fee_schedule": fee_schedule or None}
        if asset_class is not None:
            # With their class, pairs can only be named in JSON.
            params["pair"] = [{"asset": pair, "aclass": asset_class} for pair in pairs]
        elif any(is_tokenized(self._context, symbol) for symbol in ours):
            params["pair"] = classed(self._context, ours)
        reply = wire.TradeVolume
        answer: wire.TradeVolume = yield private(
            "TradeVolume", reply, params, json=any(isinstance(pair, dict) for pair in params["pair"] or ())
        )
        return parse.trade_volume(answer, self._context.symbols, self._context.assets)

    def key_info(self, otp: str | None = None) -> Flow[ApiKeyInfo]:
        """Tell what the key that is used may do; it needs no permission for that.

        Args:
            otp: Only for keys that were made with a second factor of their own.
        """
        answer: Any = yield private("GetApiKeyInfo", None, {"otp": otp})
        if not isinstance(answer, dict):
            raise ProtocolError(f"{self._context.venue}: GetApiKeyInfo: expected fields, found {type(answer).__name__}")
        return parse.api_key_info(answer)

    def _position(self, txid: str, raw: wire.Position) -> OpenPosition:
        return parse.position(txid, raw, self._context.symbols)
