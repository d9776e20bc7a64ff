"""SQL over what is desired and what is live: an in-memory SQLite, which can be asked and not changed."""
