"""The contents of a stack's state, read as text: no part of it is ever loaded or run."""
