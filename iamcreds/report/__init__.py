"""Drift for people: text, JSON, Markdown, a page, a message."""
