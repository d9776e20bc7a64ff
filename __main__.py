"""What Pulumi runs: the specs that the stack's configuration names, made true."""

from dynamic_providers.program import run

run()
