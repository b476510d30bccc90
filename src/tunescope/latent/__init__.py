"""Latent concepts: word selection, clustering, alignment, polarity (arXiv 2210.12696)."""
