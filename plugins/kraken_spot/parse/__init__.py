"""From what Kraken Spot sends to values of the model and of ``types``: pure functions."""
