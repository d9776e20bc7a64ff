"""Desired x live -> drift: reading what is compared, comparing it, and the differences as data."""
