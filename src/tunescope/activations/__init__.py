"""From a model and a corpus to one vector per word and layer, kept on disk."""
