"""A WebSocket connection to Kraken Futures as a state machine; ``connections`` puts its parts together."""
