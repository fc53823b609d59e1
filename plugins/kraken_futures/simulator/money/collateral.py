"""What backs linear contracts beside dollars: which currencies, what they are worth, haircuts, costs of conversions.

A coin that inverse contracts are settled in is in two wallets: that of its contracts, under its own code in the
exchange, and the multi-collateral one, under its code with ``.flex``. The two never back the same positions.
See https://support.kraken.com/articles/4844392809620-fees-charges-for-multi-collateral-futures
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from exchange_core.connector.simulation import SimCollateral, SimMarket
from exchange_core.model.asset import Asset

_FLEX = ".flex"
_DECIMALS = 10

# Percent. Kraken said in February 2025 that the haircuts of derivatives are those of its spot margin, bitcoin and ether
# apart; these are those that its public list of assets told in September 2026.
# Open point: those of bitcoin and ether, which are those of spot margin here too.
_HAIRCUTS = {
    Decimal(0): "EUR GBP",
    Decimal("0.5"): "USDC USDT",
    Decimal(1): "BTC ETH",
    Decimal(3): "PAXG",
    Decimal(5): "XRP",
    Decimal("7.5"): "ADA DOGE DOT LTC SOL",
    Decimal(10): "ALGO ARB ATOM AVAX CRV ENA FET LINK ONDO SEI TIA TRX UNI XLM",
    Decimal(20): "AAVE FARTCOIN FIL GRT INJ KAS KSM MANA MINA NEAR PEPE RENDER RUNE SHIB SPX STX SUI TAO WIF XTZ",
}
_HAIRCUT_OF = {code: percent.scaleb(-2) for percent, codes in _HAIRCUTS.items() for code in codes.split()}
_STEADY = {"EUR": Decimal("1.1"), "GBP": Decimal("1.34"), "USDC": Decimal(1), "USDT": Decimal(1)}
"""Currencies without a contract here, in dollars: about what they were; ``SimulatedExchange.set_rate`` changes it."""

_STEADY_SPREAD, _USUAL_SPREAD = Decimal("0.0005"), Decimal("0.005")
"""What a conversion costs of cash and stablecoins, and of all else: "from" so much, says the venue."""


def coin_of(asset: str) -> str:
    """Return the currency of an asset of the exchange, whichever wallet it is in."""
    return asset.removesuffix(_FLEX)


def with_collateral(assets: Iterable[Asset], markets: Iterable[SimMarket]) -> tuple[Asset, ...]:
    """Return *assets* and what else can back linear contracts in dollars, given those *markets*."""
    found = {asset.code: asset for asset in assets}
    for code in _backing(markets):
        coin = found.get(coin_of(code)) or Asset(code=code, venue_id=code, decimals=_DECIMALS)
        found.setdefault(code, Asset(code=code, venue_id=coin.venue_id, decimals=coin.decimals))
    return tuple(found.values())


def collateral(markets: Sequence[SimMarket]) -> tuple[SimCollateral, ...]:
    """Return what backs linear contracts in dollars beside dollars."""
    found = []
    for code, market in _backing(markets).items():
        coin = coin_of(code)
        found.append(
            SimCollateral(
                asset=code,
                settles="USD",
                market=None if market is None else market.instrument.symbol,
                price=_STEADY.get(coin, Decimal(0)),
                haircut=_HAIRCUT_OF[coin],
                spread=_STEADY_SPREAD if coin in _STEADY else _USUAL_SPREAD,
            )
        )
    return tuple(found)


def _backing(markets: Iterable[SimMarket]) -> dict[str, SimMarket | None]:
    """Return assets of the exchange that can back contracts in dollars, with the market that prices each."""
    symbols = {market.instrument.symbol: market for market in markets}
    settled_in = {symbol.settle for symbol in symbols}
    if "USD" not in settled_in:
        return {}
    found: dict[str, SimMarket | None] = {}
    for coin in _HAIRCUT_OF:
        priced = [market for symbol, market in symbols.items() if (symbol.base, symbol.quote) == (coin, "USD")]
        if not priced and coin not in _STEADY:
            continue
        is_inverse = any(symbol.is_inverse and symbol.settle == coin for symbol in symbols)
        if is_inverse or coin not in settled_in:
            found[coin + _FLEX if is_inverse else coin] = priced[0] if priced else None
    return found
