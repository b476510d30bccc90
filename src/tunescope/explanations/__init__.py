"""Why a classifier said what it said: salient words, and the latent concepts they belong to."""
