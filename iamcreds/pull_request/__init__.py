"""A preview of the engine as a plan: its changes, the comment of a pull request, the gate, and the approved steps."""
