"""What Kraken Futures is known to send, so that what is new shows."""
