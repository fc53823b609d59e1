"""Tidepool, a small made-up spot exchange, as a venue of exchange-core."""
