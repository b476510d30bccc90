"""Elastic-net probes, control tasks and their statistics (arXiv 2010.02695, 2105.15179)."""
