"""Words by what they do in a question. English: other languages meet only guards without lists."""
