"""What Kraken Futures tells beyond the normalised model."""
