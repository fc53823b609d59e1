"""The exchange proper: matching, accounts, money, time. No I/O."""
