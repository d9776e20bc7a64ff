"""What was found as SARIF 2.1.0, which code scanning and editors read: each at its line, and known again later."""
