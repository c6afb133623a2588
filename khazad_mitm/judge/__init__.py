"""Verifiers: do two questions mean the same? A function of the user's, a cross-encoder, a model.

One that was named works when it is handed out, or a ConfigError says what to change. What it then
says, and whether it says it in time, is `cache.drive`'s business.
"""
