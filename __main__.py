"""The Pulumi program: registers the resources that the specs in the stack's configuration declare."""

from dynamic_providers.program import run

run()
