"""Text of files that other programs write: UTF-8, with or without a byte order mark; pure."""

from __future__ import annotations

import codecs


def decode(data: bytes) -> str:
    """Return UTF-8 text without its byte order mark.

    Raises:
        ValueError: it has a different encoding; the message is the reason.
    """
    if encoding := name_encoding(data):
        raise ValueError(f"it is {encoding}: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None


def name_encoding(data: bytes) -> str | None:
    """Name the encoding of a text that is certainly not UTF-8, such as the output of `>` in Windows PowerShell.

    Without a mark, a null character among the first two bytes means UTF-16: no JSON or YAML contains one.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:2]:
        return "UTF-16"
    return None
