"""Arguments made from the declared settings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib_ti.config import (
    FORMER_FLAGS,
    NO_PRESET,
    RENAMED,
    Config,
    TrainConfig,
    a1111,
    described,
    from_mapping,
    preset_settings,
    with_present_names,
)
from lib_ti.errors import BadInput, reason
from lib_ti.paths import as_path
from lib_ti.wording import number, quoted, some


def add_settings(
    parser: argparse.ArgumentParser,
    kind: type[Any],
    *,
    positional: str | tuple[str, ...] = (),
    hidden: tuple[str, ...] = (),
) -> None:
    """Add an option for each setting: ``--max-steps N``, ``--shuffle-tags`` and ``--no-shuffle-tags``.

    Values stay text and unset options stay absent; :func:`read_config` checks all of them together. Settings that were
    renamed are accepted under their former names too, and former flags without a value, which the help does not show.
    An option whose setting has lines may be given several times, for a line each.
    Settings in ``hidden`` have no option; the command fills them in itself.
    """
    positionals = (positional,) if isinstance(positional, str) else positional
    group = parser.add_argument_group("settings")
    former = {new: old for old, new in RENAMED.get(kind.__name__, {}).items()}
    for name, value_type, default, setting in described(kind):
        if name in hidden:
            continue
        shown = "" if setting.required and not default else f" (default: {_shown(default)})"
        several = " Give the option several times for several." if setting.lines else ""
        text = f"{setting.label}: {setting.help}{several}{shown}".replace("%", "%%")
        if name in positionals:
            group.add_argument(f"setting_{name}", metavar=name.upper(), nargs="?", default=argparse.SUPPRESS, help=text)
            continue
        options: dict[str, Any] = {"dest": f"setting_{name}", "default": argparse.SUPPRESS}
        if value_type is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            kinds = {int: "N", float: "X", str: "TEXT"}
            options["metavar"] = "|".join(setting.choices) if setting.choices else kinds[value_type]
            options |= {"action": "append"} if setting.lines else {}
        if name in FORMER_FLAGS.get(kind.__name__, {}):
            place = {"dest": options["dest"], "default": argparse.SUPPRESS}
            without = _option(f"no_{name}")
            group.add_argument(without, action="store_const", const="false", help=argparse.SUPPRESS, **place)
            options |= {"nargs": "?", "const": "true"}
        group.add_argument(_option(name), help=text, **options)
        if name in former:
            group.add_argument(_option(former[name]), help=argparse.SUPPRESS, **options)


def read_config(
    kind: type[Config], arguments: argparse.Namespace, report: Callable[[str], None] = lambda _: None
) -> Config:
    """Return the configuration of ``--config FILE``, overridden by the options that were given.

    ``--preset`` overrides the file too: options, then the preset among them, then the file, then a preset in the file.
    ``report`` is called with what was read from a settings file of the WebUI, and what the preset replaces of a file.

    Raises
    ------
    BadInput
        With all problems of file and options together.
    """
    values: dict[str, Any] = {}
    source = "the options"
    if getattr(arguments, "config", None):
        content = read_settings_file(as_path(arguments.config, "--config"))
        source = arguments.config
        values = content.get("settings", content)
        if a1111.is_webui_settings(values):
            values = _translated(kind, values, source, report)
    prefix = "setting_"
    given = {key[len(prefix) :]: _given(value) for key, value in vars(arguments).items() if key.startswith(prefix)}
    chosen = preset_settings(given.get("preset", NO_PRESET)) if kind is TrainConfig else {}
    values = with_present_names(kind, values)
    replaced = [name for name in values if name in chosen and name not in given and values[name] != chosen[name]]
    if replaced:
        shown = some([f"{name} {quoted(values[name])}" for name in replaced], len(replaced))
        report(f"Preset {given['preset']} replaces from {source}: {shown}.")
    return from_mapping(kind, {**values, **chosen, **given}, source=source)


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read a mapping of settings, or a run's ``settings-*.json``, which has them under ``"settings"``.

    Raises
    ------
    BadInput
        When the file cannot be read or has another content.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        content = a1111.parse_text(text) if a1111.is_text(text) else json.loads(text)
    except OSError as error:
        raise BadInput(f"The settings file {path} cannot be read: {reason(error)}.") from error
    except ValueError as error:
        raise BadInput(f"The settings file {path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("settings", content), dict):
        raise BadInput(f'The settings file {path} contains no settings; it should look like {{"max_steps": 500}}.')
    return content


def _translated(kind: type[Config], values: Mapping[str, Any], source: str, report: Callable[[str], None]) -> Any:
    if kind is not TrainConfig:
        raise BadInput(f"{source} has settings of a run in the WebUI's Train tab; give it to the command train.")
    translated = a1111.translate(values, source)
    for note in translated.notes:
        report(note)
    return translated.settings


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _given(value: Any) -> Any:
    """Turn an option that was given several times into the lines of its setting."""
    return "\n".join(value) if isinstance(value, list) else value


def _shown(default: Any) -> str:
    return (
        {True: "on", False: "off", "": "empty"}.get(default, str(default))
        if isinstance(default, bool | str)
        else number(default)
    )
