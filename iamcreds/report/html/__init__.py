"""Drift and inventory as one HTML page that needs nothing else: no network, no file beside it."""

from iamcreds.report.html.page import render

__all__ = ["render"]
