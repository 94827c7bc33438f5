"""What a run, or the constructor of a task class, can be given: read from type hints, for forms to ask.

A `Parameter` is plain data, so that a form may be in another process than the task. `parse_parameter` reads
what a person typed into it, and `make_task` makes the task of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from math import isfinite
from pathlib import Path, PurePath
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from taskkit.frozen_dict import FrozenDict
from taskkit.snapshot import Parameter
from taskkit.task import Task

_YES: Final = ("yes", "y", "true", "on", "1")
_NO: Final = ("no", "n", "false", "off", "0")


def parameters_of(task: object) -> tuple[Parameter, ...]:
    """What a run of `task` can be given: its `run_parameters`, else what its constructor takes.

    Prefilled with the values that the task has as attributes of the same names. Nothing, if it raises when
    it is looked at.
    """
    try:
        declared = getattr(task, "run_parameters", None)
        if isinstance(declared, Mapping):
            return tuple(_declared(str(name), value) for name, value in declared.items())
        return _readable(_of_constructor(type(task), task)) if isinstance(task, Task) else ()
    except BaseException:  # noqa: BLE001 - a property, and the words of a value, are the task's code
        return ()


def constructor_parameters(task_class: type) -> tuple[Parameter, ...] | None:
    """What the constructor of a task class can be given by someone who types.

    That is whatever is hinted to be a `str`, `int`, `float`, `bool`, `Path`, `Enum`, `Literal`, or one of
    these or `None`; without a hint the default says it, and without a default it is a text.

    Returns:
        The parameters in their order, without optional ones of other types. `None`: it needs something that
        cannot be typed.
    """
    parameters = _of_constructor(task_class, None)
    if parameters is None or any(each is None and required for each, required in parameters):
        return None
    return _readable(parameters)


def parse_parameter(parameter: Parameter, text: str) -> str | int | float | bool | None:
    """The value that a person means by `text`.

    Of a choice it is the name, of a path the text. Nothing typed means the default, where there is one.

    Raises:
        ValueError: The text is no such value; the message names the parameter and says what it may be.
    """
    typed = text.strip()
    if not typed and not (parameter.type == "str" and parameter.default is not None):
        if not parameter.required:
            return _as_plain(parameter.default)
        raise ValueError(f"{parameter.name} must not be empty")
    match parameter.type:
        case "int" | "float":
            return _number(parameter, typed)
        case "bool":
            return _yes_or_no(parameter, typed)
        case "choice":
            if typed not in parameter.choices:
                raise ValueError(
                    f"{parameter.name} must be one of {', '.join(parameter.choices)}, not {typed!r}"
                )
            return typed
        case "path":
            return typed
        case _:
            return text


def make_task(task_class: Callable[..., Task], values: Mapping[str, object]) -> Task:
    """A task of that class, of values as `parse_parameter` gives them.

    Choices become what they stand for, and paths become `Path`s. What is as the constructor has it by
    default is left to the constructor.

    Raises:
        TypeError: The constructor lacks a value, or takes none of such a name.
        Exception: Whatever else the constructor raises.
    """
    arguments = dict(values)
    for name, parameter, hint in _signature(task_class):
        if name not in arguments:
            continue
        value = arguments[name]
        told = _parameter(name, parameter, hint, None)
        if told is not None and not told.required and value == told.default:
            del arguments[name]
        elif told is not None:
            arguments[name] = _meant(value, told.type, hint)
    return task_class(**arguments)


def parameters_of_run(task: object, given: Mapping[str, object]) -> Mapping[str, object]:
    """What a run of `task` finds as its parameters: what it was given, and the declared defaults of the rest.

    Of what is declared, choices become what they stand for, and paths become `Path`s, as with `make_task`.
    Where the task raises when it is looked at, it finds what it was given.
    """
    try:
        declared = getattr(task, "run_parameters", None)
        if declared is None or not isinstance(declared, Mapping):
            return given
        found = dict(given)
        for name, value in declared.items():
            if _is_hint(value):
                if name in found:
                    found[name] = _meant(found[name], _kind_of(value)[0], value)
            # A form gives `None` for a default that it cannot tell.
            elif name not in found or (found[name] is None and _declared(name, value).default is None):
                found[name] = value
            else:
                found[name] = _meant(found[name], _kind_of(type(value))[0], type(value))
        return FrozenDict(found)
    except BaseException:  # noqa: BLE001 - as above
        return given


def _meant(value: object, kind: str | None, hint: object) -> object:
    """What a value that somebody typed stands for."""
    if not isinstance(value, str) or isinstance(value, Enum):
        return value
    if kind == "choice":
        return next((each for each in _choices(hint) if _name_of(each) == value), value)
    return Path(value) if kind == "path" else value


def _declared(name: str, value: object) -> Parameter:
    is_hint = _is_hint(value)
    kind, choices = _kind_of(value if is_hint else type(value))
    told = None if is_hint else _told(value, choices)
    return Parameter(name, kind or "str", choices, told, required=is_hint)


def _is_hint(value: object) -> bool:
    """Whether it declares a type, and no default."""
    return isinstance(value, type) or get_origin(value) is not None


def _of_constructor(task_class: type, task: object) -> list[tuple[Parameter | None, bool]] | None:
    """Each parameter, or `None` where it cannot be typed; and whether it has no default."""
    try:
        signature = list(_signature(task_class))
    except (TypeError, ValueError):
        return None
    return [
        (_parameter(name, parameter, hint, task), parameter.default is parameter.empty)
        for name, parameter, hint in signature
    ]


def _readable(parameters: Iterable[tuple[Parameter | None, bool]] | None) -> tuple[Parameter, ...]:
    return tuple(each for each, _ in parameters or () if each is not None)


def _signature(task_class: Callable[..., object]) -> Iterable[tuple[str, inspect.Parameter, object]]:
    """Name, parameter and type hint of each that can be given by name."""
    for name, parameter in inspect.signature(task_class).parameters.items():
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            yield name, parameter, _hint_of(task_class, name)


def _hint_of(task_class: Callable[..., object], name: str) -> object:
    """The hint, also if that of another parameter cannot be resolved; `None` if there is none."""
    init = getattr(task_class, "__init__", task_class)
    annotation = getattr(init, "__annotations__", {}).get(name)
    if annotation is None:
        return None
    scope = SimpleNamespace(__annotations__={name: annotation})
    try:
        return get_type_hints(scope, globalns=getattr(init, "__globals__", {}))[name]
    except Exception:  # noqa: BLE001 - imported for type checkers only, or no type at all
        return None


def _parameter(name: str, parameter: inspect.Parameter, hint: object, task: object) -> Parameter | None:
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    # Not by `getattr`: a property is the task's code, which is not to run because somebody looks.
    value = getattr(task, "__dict__", {}).get(name, default)
    if hint is None and value is not None:
        hint = type(value)
    kind, choices = ("str", ()) if hint is None else _kind_of(hint)
    if kind is None:
        return None
    return Parameter(name, kind, choices, _told(value, choices), required)


def _kind_of(hint: object) -> tuple[str | None, tuple[str, ...]]:
    """One of the words of `Parameter.type`, or `None`; and the names to choose from."""
    if hint is Any or hint is object:
        return "str", ()
    choices = tuple(_name_of(choice) for choice in _choices(hint))
    if choices:
        return "choice", choices
    types = tuple(each for each in _members(hint) if isinstance(each, type))
    # In the order of what takes more: a union of a number and a text is a text.
    for kind, kinds in (("path", PurePath), ("str", str), ("float", float), ("int", int), ("bool", bool)):
        if any(issubclass(each, kinds) and not (kind == "int" and each is bool) for each in types):
            return kind, ()
    return None, ()


def _choices(hint: object) -> tuple[object, ...]:
    choices: list[object] = []
    for member in _members(hint):
        if get_origin(member) is Literal:
            choices += get_args(member)
        elif isinstance(member, type) and issubclass(member, Enum):
            choices += member
        else:
            return ()
    return tuple(choices)


def _members(hint: object) -> tuple[object, ...]:
    """What a union is made of, `None` left out; anything else by itself."""
    supertype = getattr(hint, "__supertype__", None)  # of a NewType
    if supertype is not None:
        return _members(supertype)
    if get_origin(hint) in (Union, UnionType):
        return tuple(each for each in get_args(hint) if each is not NoneType)
    return (hint,)


def _name_of(choice: object) -> str:
    return choice.name if isinstance(choice, Enum) else str(choice)


def _told(value: object, choices: tuple[str, ...]) -> str | int | float | bool | None:
    if choices:
        return None if value is None else _name_of(value)
    return _as_plain(value)


def _as_plain(value: object) -> str | int | float | bool | None:
    """As plain data; `None` for what has no such form."""
    if isinstance(value, PurePath):
        return str(value)
    return value if isinstance(value, str | int | float | bool) else None


def _number(parameter: Parameter, typed: str) -> int | float:
    if parameter.type == "int":
        try:
            return int(typed)
        except ValueError:
            raise ValueError(f"{parameter.name} must be a whole number, not {typed!r}") from None
    try:
        number = float(typed)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError(f"{parameter.name} must be a number, not {typed!r}")
    return number


def _yes_or_no(parameter: Parameter, typed: str) -> bool:
    word = typed.lower()
    if word not in _YES + _NO:
        raise ValueError(f"{parameter.name} must be yes or no, not {typed!r}")
    return word in _YES
