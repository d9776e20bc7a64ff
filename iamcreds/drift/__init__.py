"""Drift: the comparison of specs with an account, and its rules."""
