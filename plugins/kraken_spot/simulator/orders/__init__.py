"""Orders of the simulated Kraken Spot: what clients say, what the exchange is asked, what becomes of it."""
