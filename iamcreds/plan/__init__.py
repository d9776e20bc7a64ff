"""A preview of the engine as a plan: what changes, how it reads in a pull request, and when it is too much."""
