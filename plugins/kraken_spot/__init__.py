"""Kraken Spot for exchange-core."""
