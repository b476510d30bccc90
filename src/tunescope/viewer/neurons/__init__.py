"""Pages about individual neurons: one for each label column and model, one for each neuron."""
