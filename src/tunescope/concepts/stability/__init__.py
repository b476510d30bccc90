"""How much two clusterings of the same words differ without any tuning."""
