"""Text to vector. What an embedder must do is said where it is driven: `cache.parts.Embedder`.

An embedder is a plain blocking object that any thread may call; whose thread that is, and how long
it may take, is the driver's business. `choose` makes the one that the settings name. Importing this
package loads no model and no library.
"""
