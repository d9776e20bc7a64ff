"""What `make` runs: the engine, and the stack on the embedded IAM."""
