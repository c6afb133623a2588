"""One kind of difference in each file; `cache.verify` asks them in order.

A guard is a function of two readings (`reading.read`): pure, symmetric, never raising, False for a
text and itself. It knows language, not embeddings: what it vetoes stays vetoed however alike the
vectors are. Lists of words lie in `lexicon/`; they are ours, written from general knowledge.
"""
