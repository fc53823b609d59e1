"""The simulated exchange: a market with accounts behind any venue's wire protocol, on loopback or in process."""
