"""For the tests of others: a plugin for pytest."""
