"""The project's commands: ``python dev.py demo``, ``python dev.py test`` and the rest of the table below.

Each makes ``.venv`` beside this file if it is missing or out of date, and then does its job with that environment's
Python. Standard library only, and no syntax newer than Python 3.6, so that an unsuitable Python says so in a sentence
instead of a traceback. Nothing outside this folder is written but pip's own cache.
"""

import ast
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

# Annotations are quoted where Python 3.6 could not evaluate them; the __future__ import that would do is newer.
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "set-up.txt"
LOCK = ROOT / ".venv.lock"
OLDEST, NEWEST = (3, 10), (3, 12)
# Wheels only, since building from source fails in long ways; compiled when imported, which halves the time to set up.
PIP_INSTALL = (
    "-m pip install --no-input --disable-pip-version-check --progress-bar=off --only-binary=:all: --no-compile".split()
)
CPU_TORCH = "https://download.pytorch.org/whl/cpu/torch/"

COMMANDS = {
    "demo": ("generate images, train an embedding on them, show what it learned", [["lib_ti", "demo"]]),
    "tab": (
        "open the tab in a browser, with the pocket model and sample images",
        [["lib_ti", "tab", "--sample-images", "demo-images"]],
    ),
    "test": ("run the tests; arguments go to pytest", [["pytest"]]),
    "lint": ("check style and formatting with ruff", [["ruff", "check"], ["ruff", "format", "--check"]]),
    "types": ("check types with mypy", [["mypy"]]),
    "bench": ("measure, and print a table", [["tests.benchmarks"]]),
}


class SetUpFailed(Exception):
    """The environment could not be made; the text says why and what to do."""


def main(arguments: "list[str]") -> int:
    """Run one command and return its exit code: 2 for a call that cannot be understood, 130 after Ctrl-C."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        print("dev.py has no command {!r}; there are {}.".format(name, ", ".join(COMMANDS)), file=sys.stderr)
        return 2
    try:
        prepare()
    except SetUpFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped while setting up; the next call starts that again.", file=sys.stderr)
        return 130
    return max(run([*command, *rest]) for command in COMMANDS[name][1])


def usage() -> str:
    lines = ["python dev.py COMMAND [ARGUMENTS]   (paths are seen from the folder of dev.py)", ""]
    lines += [f"  {name:6} {about}" for name, (about, _) in COMMANDS.items()]
    return "\n".join(lines)


def run(command: "list[str]") -> int:
    """Run ``python -m command`` in the environment and the project's folder; return its exit code."""
    process = subprocess.Popen([str(PYTHON), "-m", *command], cwd=str(ROOT))
    # A terminal sends Ctrl-C to both; the command decides what it means, and we wait for it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def prepare() -> None:
    """Make ``.venv`` unless a whole one for the present requirements is there."""
    wanted = read_requirements(ROOT / "pyproject.toml")
    if is_whole(wanted):
        return
    base = find_python(tuple(sys.version_info[:3]))
    with only_one_at_a_time():
        if not is_whole(wanted):  # whoever held the lock may just have made it
            set_up(base, wanted)


def read_requirements(path: Path) -> "list[str]":
    """The ``dev`` dependency group; its TOML array is read as the Python list it also is (3.10 has no TOML reader)."""
    found = re.search(r"^\[dependency-groups\]$.*?^dev = (\[$.*?^\])$", path.read_text(encoding="utf-8"), re.M | re.S)
    if found is None:
        raise SetUpFailed(f"{path} has no list `dev` under [dependency-groups].")
    requirements = ast.literal_eval(found.group(1))
    return [str(requirement) for requirement in requirements]


def is_whole(requirements: "list[str]") -> bool:
    """True when ``.venv`` was completely set up for these requirements and its Python is still where it was."""
    try:
        return PYTHON.exists() and STAMP.read_text(encoding="utf-8") == stamp_of(requirements)
    except OSError:
        return False


def stamp_of(requirements: "list[str]") -> str:
    """Changes with the requirements, and when an upgrade of the system replaces the Python behind ``.venv``."""
    digest = hashlib.sha256("\n".join(requirements).encode("utf-8")).hexdigest()
    return f"requirements {digest}\npython {os.path.realpath(str(PYTHON))}\n"


def find_python(running: "tuple[int, ...]") -> str:
    """Path of a suitable Python: the running one, else one that is installed beside it.

    Raises
    ------
    SetUpFailed
        When there is none.
    """
    if OLDEST <= running[:2] <= NEWEST:
        # Not sys.executable: that may be the Python inside the .venv that is about to be replaced.
        return getattr(sys, "_base_executable", None) or sys.executable
    for version in ("3.11", "3.12", "3.10"):
        command = ["py", "-" + version] if os.name == "nt" else ["python" + version]
        asked = [*command, "-c", "import ensurepip, sys, venv; print(sys.executable)"]
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            return subprocess.check_output(asked, stderr=subprocess.DEVNULL, universal_newlines=True).strip()
    have = ".".join(str(part) for part in running)
    raise SetUpFailed(
        f"Python 3.10, 3.11 or 3.12 is needed; this is Python {have} ({sys.executable}) and none of them was found: "
        "install Python 3.11 and run the same command again."
    )


@contextlib.contextmanager
def only_one_at_a_time() -> "Iterator[None]":
    """Hold the lock that keeps two calls from setting up ``.venv`` over each other; the system frees it at any end."""
    with open(str(LOCK), "w") as lock:
        if sys.platform == "win32":
            import msvcrt

            while True:
                with contextlib.suppress(OSError):  # raised after ten seconds of waiting
                    msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(base: str, requirements: "list[str]") -> None:
    """Recreate ``.venv``. The stamp is written last, so that an interrupted set-up is never taken for a whole one.

    Raises
    ------
    SetUpFailed
        With the last lines of venv or pip.
    """
    started = time.monotonic()
    print(f"Setting up .venv, once: about 2 minutes, more on a slow network ({base}).", flush=True)
    if STAMP.exists():
        STAMP.unlink()
    follow([base, "-m", "venv", "--clear", str(VENV)], "On Debian and Ubuntu, install the package python3-venv.")
    advice = "Check the network connection and that 5 GB of disk are free."
    follow([str(PYTHON), *PIP_INSTALL, *small_torch(requirements), *requirements], advice)
    STAMP.write_text(stamp_of(requirements), encoding="utf-8")
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


def small_torch(requirements: "list[str]") -> "list[str]":
    """Options for pip that offer it the CPU build of torch, a tenth of the size, on a Linux without an NVIDIA GPU.

    Elsewhere PyPI's own is right. Where the page of that build cannot be reached, PyPI's larger build works too.
    """
    wanted = any(requirement.startswith("torch==") for requirement in requirements)
    if not wanted or not sys.platform.startswith("linux") or shutil.which("nvidia-smi"):
        return []
    with contextlib.suppress(OSError, HTTPException), urlopen(CPU_TORCH, timeout=5) as page:
        if b"torch-" in page.read():
            return ["--find-links", CPU_TORCH]
    return []


def follow(command: "list[str]", advice: str) -> None:
    """Run a step of the set-up and show on one line of a terminal what it is at."""
    end: deque[str] = deque(maxlen=15)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            end.append("  " + line.rstrip())
            step = re.match(r"\s*((Collecting|Downloading|Installing) \S+)", line)
            if step and sys.stdout.isatty():
                print(f"\r  {step.group(1):<76.76}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r" + " " * 78 + "\r", end="", flush=True)
    if process.returncode:
        raise SetUpFailed(
            "\n".join(end) + "\nSetting up .venv failed; the lines above are the last of its output. "
            f"{advice} Then run the same command again."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
