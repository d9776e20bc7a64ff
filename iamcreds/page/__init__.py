"""Drift and inventory as one HTML page that needs nothing else: no network, no file beside it."""

from iamcreds.page.html import render

__all__ = ["render"]
