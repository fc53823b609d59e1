"""From what Kraken Futures sends to values of the model and of ``types``: pure functions."""
