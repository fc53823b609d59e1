"""Kraken Spot's WebSocket connections as state machines; ``connections`` puts them together."""
