"""Fault injection for the IAM emulator (latency, throttling, errors, broken connections), and its control API."""
