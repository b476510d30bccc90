"""Words of polarity concepts as adversarial triggers (Durrani et al. 2022, arXiv 2210.12696)."""
