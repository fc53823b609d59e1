"""What accounts of the simulated Kraken Futures hold, and how it moves."""
