"""All that speaks the Pulumi engine's protocol: registration, run contexts, checks, inputs and outputs."""
