"""ConceptX's files: `word|||occurrence|||sentence|||token|||cluster` (arXiv 2211.06642)."""
