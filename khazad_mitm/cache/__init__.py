"""The story of a lookup, told once. No I/O here: the story yields commands, `drive` obeys them."""
