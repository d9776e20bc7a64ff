"""The commands of `iamcreds`. The attribute `command` of each module is a command."""
