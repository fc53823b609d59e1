"""Orders with all that Kraken Futures can be asked for, from their terms to what is sent."""
