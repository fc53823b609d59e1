"""What Kraken Spot is known to send, so that what is new shows."""
