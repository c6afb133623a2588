"""A proxy under everything at once: hits, misses, streams, clients that leave, an upstream that
fails, a Redis in trouble. Afterwards every answer is held against what the upstream gave.

python -m tests.soak --seconds 600 --seed 1
"""
