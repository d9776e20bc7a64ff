"""The schedule of coming events: rotations, retirements, renewals, expiries and violations of policies."""
