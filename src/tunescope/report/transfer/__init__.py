"""Report on study 2: what tuning on each task did to each base model."""
