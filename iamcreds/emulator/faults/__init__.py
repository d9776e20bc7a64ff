"""Switches that make the IAM emulator slow, late, busy or broken, and the control API that sets them."""
