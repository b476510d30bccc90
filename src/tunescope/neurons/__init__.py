"""Individual neurons: rankings, minimal sets, ablation, redundancy, use (arXiv 2010.02695)."""
