"""Contracts of the simulated Kraken Futures, and how they stand."""
