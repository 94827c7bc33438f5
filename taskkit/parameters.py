"""The parameters of runs and of task constructors, read from type hints, so that a form can ask for them.

A `Parameter` is plain data, so that the form may be in another process. `parse_parameter` converts what a
person typed, and `make_task` makes a task from the values.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from math import isfinite
from pathlib import Path, PurePath
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.snapshot import Parameter, ParameterType
from taskkit.task import Task

_PYTHON_TYPES: Final = {
    ParameterType.PATH: PurePath,
    ParameterType.STR: str,
    ParameterType.FLOAT: float,
    ParameterType.INT: int,
    ParameterType.BOOL: bool,
}
"""The wider type comes last: a union of a number and a text is a text."""

_YES: Final = ("yes", "y", "true", "on", "1")
_NO: Final = ("no", "n", "false", "off", "0")


def parameters_of(task: object) -> tuple[Parameter, ...]:
    """Return the parameters of a run of `task`: its `run_parameters`, or else those of its constructor.

    The defaults are the values of the task's attributes of the same names. Empty if the task raises while it
    is inspected.
    """
    try:
        declared = getattr(task, "run_parameters", None)
        if isinstance(declared, Mapping):
            return tuple(_declared(str(name), value) for name, value in declared.items())
        return _readable(_of_constructor(type(task), task)) if isinstance(task, Task) else ()
    except BaseException:  # noqa: BLE001 - a property, and the words of a value, run the task's code
        return ()


def constructor_parameters(task_class: type) -> tuple[Parameter, ...] | None:
    """Return the parameters of a constructor that a person can type.

    These are the ones with a hint of `str`, `int`, `float`, `bool`, `Path`, `Enum`, `Literal`, or one of
    these or `None`. Without a hint the type of the default counts, and without a default it is a text.

    Returns:
        The parameters in their order, without optional ones of other types. `None` if a required one cannot
        be typed.
    """
    parameters = _of_constructor(task_class, None)
    if parameters is None or any(each is None and required for each, required in parameters):
        return None
    return _readable(parameters)


def parse_parameter(parameter: Parameter, text: str) -> str | int | float | bool | None:
    """Return the value that a typed text means: for a choice its name, for a path the text.

    An empty text means the default, if there is one.

    Raises:
        ValueError: The text is not such a value; the message names the parameter and says what it may be.
    """
    typed = text.strip()
    if not typed and not (parameter.type == ParameterType.STR and parameter.default is not None):
        if not parameter.required:
            return _as_plain(parameter.default)
        raise ValueError(f"{parameter.name} must not be empty")
    match parameter.type:
        case ParameterType.INT | ParameterType.FLOAT:
            return _number(parameter, typed)
        case ParameterType.BOOL:
            return _yes_or_no(parameter, typed)
        case ParameterType.CHOICE:
            if typed not in parameter.choices:
                raise ValueError(
                    f"{parameter.name} must be one of {', '.join(parameter.choices)}, not {typed!r}"
                )
            return typed
        case ParameterType.PATH:
            return typed
        case _:
            return text


def make_task(task_class: Callable[..., Task], values: Mapping[str, object]) -> Task:
    """Make a task of a class, from values as `parse_parameter` returns them.

    Names of choices become enum members or literals, and paths become `Path`s. Values that equal the default
    are not passed.

    Raises:
        TypeError: The constructor lacks a value, or takes none of that name.
        Exception: Anything else that the constructor raises.
    """
    arguments = dict(values)
    for name, parameter, hint in _signature(task_class):
        if name not in arguments:
            continue
        value = arguments[name]
        declared = _parameter(name, parameter, hint, None)
        if declared is not None and not declared.required and value == declared.default:
            del arguments[name]
        elif declared is not None:
            arguments[name] = _converted(value, declared.type, hint)
    return task_class(**arguments)


def parameters_of_run(task: object, given: Mapping[str, object]) -> Mapping[str, object]:
    """Return the parameters for a run of `task`: the given ones, and the declared defaults of the rest.

    Values of declared parameters are converted as by `make_task`. If the task raises while it is inspected,
    the given ones are returned as they are.
    """
    try:
        declared = getattr(task, "run_parameters", None)
        if declared is None or not isinstance(declared, Mapping):
            return given
        found = dict(given)
        for name, value in declared.items():
            if _is_hint(value):
                if name in found:
                    found[name] = _converted(found[name], _kind_of(value)[0], value)
            # A form gives `None` for a default that it cannot show.
            elif name not in found or (found[name] is None and _declared(name, value).default is None):
                found[name] = value
            else:
                found[name] = _converted(found[name], _kind_of(type(value))[0], type(value))
        return FrozenDict(found)
    except BaseException:  # noqa: BLE001 - as above
        return given


def _converted(value: object, kind: ParameterType | None, hint: object) -> object:
    """Return what a typed value means: a member, a literal, a path, or the value itself."""
    if not isinstance(value, str) or isinstance(value, Enum):
        return value
    if kind == ParameterType.CHOICE:
        return next((each for each in _choices(hint) if _name_of(each) == value), value)
    return Path(value) if kind == ParameterType.PATH else value


def _declared(name: str, value: object) -> Parameter:
    is_hint = _is_hint(value)
    kind, choices = _kind_of(value if is_hint else type(value))
    default = None if is_hint else _plain_default(value, choices)
    return Parameter(name, kind or ParameterType.STR, choices, default, required=is_hint)


def _is_hint(value: object) -> bool:
    """True if `value` is a type, and not a default."""
    return isinstance(value, type) or get_origin(value) is not None


def _of_constructor(task_class: type, task: object) -> list[tuple[Parameter | None, bool]] | None:
    """Return each parameter, or `None` where it cannot be typed; and True if it has no default."""
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
    """Yield name, parameter and type hint of each that can be given by name."""
    for name, parameter in inspect.signature(task_class).parameters.items():
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            yield name, parameter, _hint_of(task_class, name)


def _hint_of(task_class: Callable[..., object], name: str) -> object:
    """Return the hint, even if that of another parameter cannot be resolved; `None` if there is none."""
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
    # Not by `getattr`: a property would run code of the task.
    value = getattr(task, "__dict__", {}).get(name, default)
    if hint is None and value is not None:
        hint = type(value)
    kind, choices = (ParameterType.STR, ()) if hint is None else _kind_of(hint)
    if kind is None:
        return None
    return Parameter(name, kind, choices, _plain_default(value, choices), required)


def _kind_of(hint: object) -> tuple[ParameterType | None, tuple[str, ...]]:
    """Return the type of a parameter, or `None` if it cannot be typed; and the names to choose from."""
    if hint is Any or hint is object:
        return ParameterType.STR, ()
    choices = tuple(_name_of(choice) for choice in _choices(hint))
    if choices:
        return ParameterType.CHOICE, choices
    types = tuple(each for each in _members(hint) if isinstance(each, type))
    for kind, kinds in _PYTHON_TYPES.items():
        if any(issubclass(each, kinds) and not (kinds is int and each is bool) for each in types):
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
    """Return the members of a union without `None`; anything else alone."""
    supertype = getattr(hint, "__supertype__", None)  # of a NewType
    if supertype is not None:
        return _members(supertype)
    if get_origin(hint) in (Union, UnionType):
        return tuple(each for each in get_args(hint) if each is not NoneType)
    return (hint,)


def _name_of(choice: object) -> str:
    return choice.name if isinstance(choice, Enum) else str(choice)


def _plain_default(value: object, choices: tuple[str, ...]) -> str | int | float | bool | None:
    if choices:
        return None if value is None else _name_of(value)
    return _as_plain(value)


def _as_plain(value: object) -> str | int | float | bool | None:
    """Return a value as plain data; `None` if it has no such form."""
    if isinstance(value, PurePath):
        return str(value)
    return value if isinstance(value, str | int | float | bool) else None


def _number(parameter: Parameter, typed: str) -> int | float:
    if parameter.type == ParameterType.INT:
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
