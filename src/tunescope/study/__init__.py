"""The study file, the plan of steps and the runner."""
