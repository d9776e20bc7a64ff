"""What is to be done about a credential that a stack does not have yet, and why it is refused, in words."""
