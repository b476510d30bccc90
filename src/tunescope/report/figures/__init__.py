"""Figures as Altair charts: pure functions from the tables of results, one for each figure."""
