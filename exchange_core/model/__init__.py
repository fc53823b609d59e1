"""The words of the trade: frozen values, the same for every venue."""
