"""The output formats of the schedule."""
