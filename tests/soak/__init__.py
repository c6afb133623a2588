"""Proxies and programs under everything at once: hits, misses, streams, clients that leave, an
upstream that fails, a Redis in trouble. Every answer is held against what the upstream gave to that
key and that question, or to one that means the same.

python -m tests.soak --seconds 600 --seed 1
"""
