"""Orders with all that Kraken Spot can be asked for, from their terms to what is sent."""
