"""SARIF 2.1.0 for code scanning and editors: each result at its line, and recognized in later runs."""
