"""Which blocks of a base model a task can do without: pruned, tuned and scored."""
