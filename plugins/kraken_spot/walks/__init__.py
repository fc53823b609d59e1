"""Long lists of Kraken Spot, page by page; ``operations`` puts them together."""
