"""The HTML report on drift and inventory: one file that needs no network and no other file."""

from iamcreds.report.html.page import render

__all__ = ["render"]
