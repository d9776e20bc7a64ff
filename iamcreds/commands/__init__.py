"""The commands of `iamcreds`, a module each: its `command` is what runs."""
