"""Long lists of Kraken Futures, page by page; ``operations`` puts them together."""
