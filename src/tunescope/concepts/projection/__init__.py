"""Words of a layer in two dimensions: which are drawn, where they lie, how far to believe it."""
