"""Arguments made from the declared settings, so that the command line and every other form say the same."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lib_ti.config import Config, described, from_mapping
from lib_ti.errors import BadInput
from lib_ti.wording import number


def add_settings(parser: argparse.ArgumentParser, kind: type[Any], *, positional: str | tuple[str, ...] = ()) -> None:
    """One option for each setting: ``--max-steps N``, ``--shuffle-tags`` and ``--no-shuffle-tags``.

    Values stay text and unset options stay absent; :func:`read_config` judges all of them together.
    """
    placed = (positional,) if isinstance(positional, str) else positional
    group = parser.add_argument_group("settings")
    for name, value_type, default, setting in described(kind):
        shown = "" if setting.required and not default else f" (default: {_shown(default)})"
        text = f"{setting.label}: {setting.help}{shown}".replace("%", "%%")
        common: dict[str, Any] = {"dest": f"setting_{name}", "default": argparse.SUPPRESS}
        if name in placed:
            group.add_argument(f"setting_{name}", metavar=name.upper(), nargs="?", default=argparse.SUPPRESS, help=text)
        elif value_type is bool:
            group.add_argument(
                f"--{name.replace('_', '-')}", action=argparse.BooleanOptionalAction, help=text, **common
            )
        else:
            metavar = "|".join(setting.choices) if setting.choices else {int: "N", float: "X", str: "TEXT"}[value_type]
            group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text, **common)


def read_config(kind: type[Config], arguments: argparse.Namespace) -> Config:
    """The configuration from ``--config FILE``, overridden by the options that were given.

    Raises
    ------
    BadInput
        With all problems of file and options together.
    """
    values: dict[str, Any] = {}
    source = "the options"
    if getattr(arguments, "config", None):
        content = read_settings_file(Path(arguments.config))
        values = content.get("settings", content)
        source = arguments.config
    prefix = "setting_"
    given = {key[len(prefix) :]: value for key, value in vars(arguments).items() if key.startswith(prefix)}
    return from_mapping(kind, {**values, **given}, source=source)


def read_settings_file(path: Path) -> dict[str, Any]:
    """A mapping of settings, or a run's ``settings-*.json``, which has them under ``"settings"``.

    Raises
    ------
    BadInput
        When the file cannot be read or has another content.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput(f"The settings file {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise BadInput(f"The settings file {path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("settings", content), dict):
        raise BadInput(f'The settings file {path} holds no settings; it should look like {{"max_steps": 500}}.')
    return content


def _shown(default: Any) -> str:
    return (
        {True: "on", False: "off", "": "empty"}.get(default, str(default))
        if isinstance(default, bool | str)
        else number(default)
    )
