"""Where entries are kept and found: Redis Vector Sets, an embedded server, or this process.

Every store obeys the `StoreCommand`s of `cache.commands` and knows nothing of who asks.
"""
