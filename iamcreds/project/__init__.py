"""Initialization of a project: its initial files, and the next steps."""
