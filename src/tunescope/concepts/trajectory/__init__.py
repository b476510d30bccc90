"""Concepts over the checkpoints of a tuning: when they are lost, born and polarised."""
