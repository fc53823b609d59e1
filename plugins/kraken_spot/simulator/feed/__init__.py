"""The WebSocket channels of the simulated Kraken Spot; a ``session`` is one connection."""
