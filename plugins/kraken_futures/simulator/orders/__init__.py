"""Orders of the simulated Kraken Futures: what clients say, what the exchange is asked, what becomes of it."""
