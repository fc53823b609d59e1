"""REST calls of Kraken Futures and what they answer, as flows; ``operations`` puts them together."""
