"""The resource options of a credential in a program, as the run context has them, and those of its second slot."""

from __future__ import annotations

import copy
from typing import Any

import pulumi
from pulumi.runtime.settings import SETTINGS, get_root_resource

from iamcreds.pulumi_engine.run_context import Options
from iamcreds.resource_names import slot_name


def read_options(options: pulumi.ResourceOptions) -> Options:
    """Return the options that decide about a replacement; a transformation may change them later."""
    parent: Any = options.parent or get_root_resource()
    transformations = [*(options.transformations or ()), *(parent._transformations or () if parent else ())]  # noqa: SLF001
    return Options(
        protect=(parent is not None and parent._protect if options.protect is None else options.protect) is True,  # noqa: SLF001
        retain=options.retain_on_delete is True,
        deletes_first=options.delete_before_replace,
        is_certain=not (transformations or options.transforms or _has_transforms()),
    )


def _has_transforms() -> bool:
    """Return True if the program registered a transform for all resources of the stack."""
    callbacks = SETTINGS.callbacks
    return callbacks is not None and bool(callbacks._transforms)  # noqa: SLF001 - the SDK has no function for it


def slot_options(opts: pulumi.ResourceOptions | None, slot: int) -> pulumi.ResourceOptions | None:
    """Return the options for a slot: an alias of slot 2 names the former slot 2."""
    if opts is None or not opts.aliases or slot == 1:
        return opts
    options = copy.copy(opts)
    options.aliases = [_slot_alias(alias) for alias in opts.aliases]
    return options


def _slot_alias(alias: pulumi.Input[str | pulumi.Alias]) -> pulumi.Input[str | pulumi.Alias]:
    if isinstance(alias, str):
        return slot_name(alias, 2)
    if not isinstance(alias, pulumi.Alias):
        output: pulumi.Output[Any] = pulumi.Output.from_input(alias)
        return output.apply(_slot_alias)
    if not isinstance(alias.name, str):  # an alias without a name has the name of the resource
        return alias
    renamed = copy.copy(alias)
    renamed.name = slot_name(alias.name, 2)
    return renamed
