"""The official SDKs as readers of our bytes: each gives plain data of what its user would see."""
