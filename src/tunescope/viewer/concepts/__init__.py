"""Pages about latent concepts: where to enter, lists, single concepts, search by word."""
