"""The rules of drift. Each rule is one class with its data, message, next step and seriousness."""
