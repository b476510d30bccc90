"""Words of a layer in two dimensions, to be looked at, encircled and followed to concepts."""
