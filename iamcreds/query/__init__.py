"""SQL queries of desired and existing credentials, in a read-only SQLite database in memory."""
