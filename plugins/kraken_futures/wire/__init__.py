"""What Kraken Futures sends, field by field, with no meaning added."""
