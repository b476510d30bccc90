"""Small tables of the front page: what was compared, what came out of it, what was run."""
