"""Reports on drift: text, JSON, Markdown, SARIF, an HTML page, a message."""
