"""A run about individual neurons: what figures and findings are made of, and how they are said."""
