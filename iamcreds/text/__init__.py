"""Parsing and formatting of text: names, durations, counts, tables, and the escaping of external text."""
