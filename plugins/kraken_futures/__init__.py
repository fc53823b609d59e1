"""Kraken Futures for exchange-core."""
