"""One asyncio interface to many exchanges."""
