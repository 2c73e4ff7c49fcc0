"""The clients of a load test, in asyncio: each is one session from its due time to its end."""
