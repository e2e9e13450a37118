"""Losses, data and loops that train the network."""
