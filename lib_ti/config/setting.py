"""Settings declared once: the description of each, and how values become a configuration."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from lib_ti.config.renamed import FLAGS, with_present_names
from lib_ti.errors import BadInput
from lib_ti.paths import path_problem, path_text
from lib_ti.wording import number, quoted, without_commas

MODEL_SIZE = 0
"""Width or height that stands for the size the model was made for."""


@dataclass(frozen=True)
class Setting:
    """Description of one setting besides its type and default."""

    label: str
    help: str
    short: str = ""
    """The label in messages, where it is another."""
    minimum: float | None = None
    maximum: float | None = None
    multiple: int | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    path: Literal["", "file", "folder", "new folder"] = ""
    """The text names a file or a folder, which exists unless it is new; :func:`lib_ti.paths.path_text` reads it."""
    lines: bool = False
    """Each line of the text is a value of its own; on the command line, so is each time that the option is given."""

    @property
    def name(self) -> str:
        """What messages call the setting."""
        return self.short or self.label


def setting(default: Any, label: str, help: str, **details: Any) -> Any:
    """Declare a field of :class:`Settings`; ``details`` are the other fields of :class:`Setting`."""
    return field(default=default, metadata={"setting": Setting(label, help, **details)})


@dataclass(frozen=True)
class Settings:
    """Base of all configurations, which are frozen dataclasses whose fields are made by :func:`setting`."""

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return values by the present names, with those that they imply for others, such as those of a preset."""
        return values

    def contradictions(self) -> list[str]:
        """Return what is wrong with values that are each within bounds, one sentence each."""
        return []


Config = TypeVar("Config", bound=Settings)


def described(kind: type[Any]) -> Iterator[tuple[str, type[Any], Any, Setting]]:
    """Yield name, type (``str``, ``int``, ``float`` or ``bool``), default and description of each setting."""
    for item in dataclasses.fields(kind):
        yield item.name, type(item.default), item.default, item.metadata["setting"]


def to_mapping(config: Settings) -> dict[str, Any]:
    return dataclasses.asdict(config)


def from_mapping(kind: type[Config], values: Mapping[str, Any], *, source: str = "the settings") -> Config:
    """Build a configuration from plain values, text included: ``{"max_steps": "500"}`` is 500.

    Raises
    ------
    BadInput
        With one sentence for each unknown name and each value that cannot be read or is out of bounds.
    """
    known = {name: (value_type, described_) for name, value_type, _, described_ in described(kind)}
    found: list[str] = []
    read: dict[str, Any] = {}
    for name, value in kind.completed(with_present_names(kind, values)).items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            suggestion = f"; did you mean {quoted(close[0])}?" if close else "."
            found.append(f"There is no setting {quoted(name)} in {source}{suggestion}")
            continue
        value_type, item = known[name]
        try:
            read[name] = _read(value, value_type)
            if item.path:
                read[name] = path_text(read[name])
        except (ValueError, TypeError):
            found.append(_unreadable(value, value_type, item))
    config = kind(**read)
    found += problems(config)
    if found:
        raise BadInput(found)
    return config


def problems(config: Settings) -> list[str]:
    """Return all that is wrong with a configuration by itself, one sentence each."""
    found = [_problem(getattr(config, name), item) for name, _, _, item in described(type(config))]
    return [*filter(None, found), *config.contradictions()]


def _problem(value: Any, item: Setting) -> str | None:
    if isinstance(value, str):
        if item.required and not value.strip():
            return f"{item.name} is empty: {item.help}"
        if item.path and (found := path_problem(value)):
            return f"{item.name} {found}"
        if item.choices and value not in item.choices:
            return f"{item.name} is {quoted(value)}; choose one of {', '.join(item.choices)}."
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return f"{item.name} is {value}; give a finite number."
    if item.minimum is not None and value < item.minimum:
        return f"{item.name} is {number(value)}; the smallest possible value is {number(item.minimum)}."
    if item.maximum is not None and value > item.maximum:
        return f"{item.name} is {number(value)}; the largest possible value is {number(item.maximum)}."
    if item.multiple and value % item.multiple:
        return f"{item.name} is {number(value)}; it must be a multiple of {item.multiple}."
    return None


def _unreadable(value: Any, value_type: type[Any], item: Setting) -> str:
    expected = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[value_type]
    shown = number(value) if isinstance(value, float) else quoted(value)
    problem = f"{item.name} must be {expected}, and is {shown}"
    suggestion = without_commas(value, whole=value_type is int) if isinstance(value, str) else None
    return f"{problem}. Write {suggestion}." if suggestion and value_type in (int, float) else f"{problem}."


def _read(value: Any, value_type: type[Any]) -> Any:
    """Convert a value to ``value_type``; whole floats and text are accepted as forms and files give them."""
    if value_type is bool:
        if isinstance(value, str) and value.strip().lower() in FLAGS:
            return FLAGS[value.strip().lower()]
        if not isinstance(value, bool):
            raise ValueError
        return value
    if isinstance(value, bool) or value is None:
        raise ValueError
    if value_type is str:
        if not isinstance(value, str | int | float):
            raise ValueError
        return str(value)
    if value_type is int:
        number = float(value)
        if not number.is_integer():
            raise ValueError
        return int(number)
    return float(value)
