"""Markets whose liquidity comes from outside: a recorded tape, or a real venue that is followed."""
