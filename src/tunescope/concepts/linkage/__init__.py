"""Exact Ward linkage in memory that grows with points times neurons."""
