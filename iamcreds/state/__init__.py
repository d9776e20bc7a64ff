"""What a stack's state holds, read as text: nothing in it is ever loaded or run."""
