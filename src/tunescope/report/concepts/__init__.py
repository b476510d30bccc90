"""Figures and findings of study 3: concepts, their alignment, triggers, trajectories."""
