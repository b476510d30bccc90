"""Concepts aligned with those of another model, with labels and with classes (2210.12696)."""
