"""The simulated exchange: a market with accounts behind any venue's wire protocol, on loopback or in process.

``launch`` starts one and ``exchange`` is its face; ``engine`` matches and keeps accounts, ``makers`` and ``outside``
are where liquidity comes from, ``serving`` has the sockets, ``faults`` stand between them and the protocol, and
``control`` changes all that while it runs.
"""
