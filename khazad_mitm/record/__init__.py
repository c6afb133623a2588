"""Cassettes: what went over the wire, kept in files that people review, and played again."""
