"""Find or build the Pulumi engine, and print the folder of its programs; progress goes to stderr.

A `pulumi` on PATH is used as it is, unless `--pinned` is given. Otherwise the engine is built from the Go modules
that `engine/` and `language-host/` next to this file pin. The result is stored in a cache folder that all clones
share. This program only needs Python's standard library.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "v3.276.0"
TOOLS = Path(__file__).resolve().parent
ENGINE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
LANGUAGE_HOST = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
SDK = "github.com/pulumi/pulumi/sdk/v3"
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
VERSION_FLAG = f"-X {SDK}/go/common/version.Version={VERSION}"


class EngineError(Exception):
    """The engine cannot be found or built."""


def find_engine(*, pinned: bool = False) -> Path:
    """Find the folder of `pulumi` and its plugins; build it if there is none, or if it must be the pinned version.

    Raises:
        EngineError: the engine was not found, and cannot be built without Go, or the build failed.
    """
    on_path = None if pinned else shutil.which("pulumi")
    if on_path:
        return Path(on_path).parent
    built = find_cache() / f"engine-{make_fingerprint()}"
    if not (built / "pulumi").exists():
        build_engine(built)
    return built


def find_cache() -> Path:
    """Return the folder of built engines, outside any checkout."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iamcreds"


def make_fingerprint() -> str:
    """Return a text that changes if the built engine would change."""
    pinned = sorted(TOOLS.glob("*/go.*"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in pinned) + VERSION.encode()).hexdigest()[:12]


def build_engine(target: Path) -> None:
    """Build all programs into `target`, which only exists when it is complete.

    Raises:
        EngineError: Go is not installed, or the build failed.
    """
    if not shutil.which("go"):
        raise EngineError(
            "neither `pulumi` nor `go` is on PATH: install one of them (https://www.pulumi.com/docs/install,"
            " https://go.dev/dl), then repeat"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    print_progress(f"building the Pulumi engine {VERSION} from Go modules, once, into {target} (about 5 minutes)")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        whole = Path(folder) / "bin"
        compile_program(TOOLS / "language-host", LANGUAGE_HOST, whole)
        compile_program(TOOLS / "engine", ENGINE, whole, "-ldflags", VERSION_FLAG)
        copy_scripts(whole)
        if not target.exists():  # unless a concurrent build has completed first
            whole.rename(target)


def compile_program(module: Path, package: str, into: Path, *flags: str) -> None:
    """Compile one program, and print the progress: `go build -v` prints each package."""
    count = len(run_go(module, "list", "-deps", package).splitlines())
    command = ["go", "build", "-v", "-buildvcs=false", *flags, "-o", f"{into}/", package]
    into.mkdir(exist_ok=True)
    lines: list[str] = []
    with subprocess.Popen(command, cwd=module, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our words
        for done, line in enumerate(process.stderr or (), 1):
            lines.append(line)
            print_count(package.rsplit("/", 1)[1], done, count)
    if process.returncode:
        raise EngineError("building the engine failed:\n" + "".join(lines[-20:]))
    print_count(package.rsplit("/", 1)[1], count, count)


def print_count(what: str, done: int, count: int) -> None:
    """Print the progress: on a terminal, update one line; otherwise print a line from time to time."""
    text = f"  {what}: {min(done, count)} of {count} packages"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}" + ("\n" if done >= count else ""))
        sys.stderr.flush()
    elif done % 200 == 0 or done == count:
        print_progress(text)


def copy_scripts(into: Path) -> None:
    """Copy the two scripts that start Python programs and providers to the folder of the engine."""
    source = Path(json.loads(run_go(TOOLS / "engine", "mod", "download", "-json", f"{SDK}@{VERSION}"))["Dir"])
    for script in SCRIPTS:
        copied = shutil.copyfile(source / script, into / Path(script).name)
        copied.chmod(0o755)


def run_go(module: Path, *arguments: str) -> str:
    """Run a go command in the folder of a module, and return its output.

    Raises:
        EngineError: the command failed.
    """
    done = subprocess.run(["go", *arguments], cwd=module, capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise EngineError(f"`go {' '.join(arguments)}` failed:\n{done.stderr}")
    return done.stdout


def print_progress(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is a command


if __name__ == "__main__":
    try:
        print(find_engine(pinned=sys.argv[1:] == ["--pinned"]))  # noqa: T201 - this is a command
    except EngineError as error:
        sys.exit(str(error))
