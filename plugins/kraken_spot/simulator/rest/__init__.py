"""The REST endpoints of the simulated Kraken Spot; ``methods`` lists them."""
