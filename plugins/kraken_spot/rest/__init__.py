"""REST calls of Kraken Spot and what they answer, as flows; ``operations`` puts them together."""
