"""One's own text and trigger, tried on the tuned model of a served run."""
