"""The REST endpoints of the simulated Kraken Futures; ``routes`` lists them."""
