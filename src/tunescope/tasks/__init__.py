"""What models are tuned on: texts with a class or a number, their metrics, GLUE's layouts."""
