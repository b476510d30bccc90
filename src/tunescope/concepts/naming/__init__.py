"""Names for concepts, by a language model at any OpenAI-compatible address (arXiv 2305.13386)."""
