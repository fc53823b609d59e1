"""The WebSocket feeds of the simulated Kraken Futures; a ``session`` is one connection."""
