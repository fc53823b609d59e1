"""What happened on the simulated Kraken Futures, as its histories and its account log tell it."""
