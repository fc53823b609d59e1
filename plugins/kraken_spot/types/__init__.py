"""What Kraken Spot tells beyond the normalised model."""
