"""Reports on drift as text, JSON, Markdown, SARIF, HTML and notification."""
