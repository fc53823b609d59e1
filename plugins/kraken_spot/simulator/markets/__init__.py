"""What the simulated Kraken Spot trades, under all its names, and what happened there."""
