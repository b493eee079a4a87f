# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Configs are values: frozen dataclasses built by `get_config()` in an experiment file.

A config is loaded by path, changed from the command line, written to JSON and read back, compared, and hashed. Its
leaves are None, booleans, integers, finite floats and strings; its containers are frozen dataclasses, tuples and
dictionaries with string keys.
"""

import contextlib
import dataclasses
import difflib
import hashlib
import importlib
import importlib.util
import io
import itertools
import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

TYPE_KEY = "__type__"
PACKAGES = ("vidgen",)


# ------------------------------------------------------------------------------------------- loading and overriding


def load_experiment(path: str | Path) -> Any:
    """Runs an experiment file and returns what its `get_config()` returns, a frozen dataclass.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not Python, has no `get_config`, or returns something else than a frozen dataclass.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no experiment file {str(path)!r}.")
    if path.suffix != ".py":
        raise ValueError(f"An experiment is a Python file, got {str(path)!r}.")
    # The absolute path in the name keeps two files of one name apart.
    name = f"vidgen_experiment_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up the module in which they are defined
    spec.loader.exec_module(module)
    if not callable(getattr(module, "get_config", None)):
        raise ValueError(f"{str(path)!r} must define get_config(), which returns the config of the experiment.")
    config = module.get_config()
    if not _is_frozen(config):
        raise ValueError(f"get_config() of {str(path)!r} must return a frozen dataclass, got {type(config).__name__}.")
    return config


def override(config: T, argv: Sequence[str], prog: str = "config") -> T:
    """Returns a copy of `config` with the fields changed that `argv` names, such as ["--optim.lr", "1e-4"].

    Every option takes a value, booleans too ("--shuffle False"); a tuple takes several. "--help" prints the fields with
    their values and exits.

    Raises:
        ValueError: An unknown field or a value of the wrong type, in one line.
    """
    import tyro

    markers = (tyro.conf.FlagConversionOff, tyro.conf.AvoidSubcommands)
    return parse_arguments(type(config), argv, prog=prog, default=config, markers=markers)


def parse_arguments(kind: Any, argv: Sequence[str], *, prog: str, **options: Any) -> Any:
    """Runs `tyro.cli(kind, args=argv)`, but reports bad input as a `ValueError` of one line.

    An unknown option comes with the nearest known one. `options` are those of `parse_known`.
    """
    result, unknown = parse_known(kind, argv, prog=prog, **options)
    if unknown:
        reject_unknown(unknown, option_names(result))
    return result


def parse_known(
    kind: Any, argv: Sequence[str], *, prog: str, markers: tuple = (), epilog: str = "", **options: Any
) -> tuple[Any, list[str]]:
    """As `parse_arguments`, but returns the arguments that belong to no option instead of refusing them.

    `epilog` is printed at the end of the help page; other `options` go to `tyro.cli`.
    """
    import tyro

    report = io.StringIO()
    try:
        with contextlib.redirect_stderr(report):
            return tyro.cli(kind, args=list(argv), prog=prog, config=markers, return_unknown_args=True, **options)
    except SystemExit as stop:
        if stop.code not in (0, None):
            raise ValueError(_one_line(report.getvalue())) from None
        if epilog:
            sys.stdout.write(f"{epilog.strip()}\n")
        raise


def reject_unknown(unknown: Sequence[str], known: Sequence[str]) -> NoReturn:
    """Raises the `ValueError` that names the first unknown argument and the nearest known option."""
    named = [argument for argument in unknown if argument.startswith("--")]
    if not named:
        raise ValueError(f"Unexpected argument {unknown[0]!r}: put quotes around text that contains spaces.")
    option = named[0].split("=")[0].replace("_", "-")
    near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
    # "--lr" for "--optim.lr": the last part alone is the commonest slip with nested fields.
    ends = [name for name in known if name.endswith("." + option.removeprefix("--"))]
    hint = f"did you mean {(ends or near)[0]}?" if ends or near else "--help lists the options."
    raise ValueError(f"Unknown option {named[0].split('=')[0]}: {hint}")


def option_names(config: Any) -> list[str]:
    """Returns the command-line options that the fields of a dataclass become, such as "--optim.learning-rate"."""
    return ["--" + path.replace("_", "-") for path in _paths(config)]


def _paths(value: Any, prefix: str = "") -> list[str]:
    if dataclasses.is_dataclass(value):
        children = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    elif isinstance(value, tuple) and any(dataclasses.is_dataclass(item) for item in value):
        children = [(str(index), item) for index, item in enumerate(value)]
    elif isinstance(value, dict) and value:
        children = list(value.items())
    else:
        return [prefix]
    return [path for name, child in children for path in _paths(child, f"{prefix}.{name}" if prefix else name)]


def _one_line(box: str) -> str:
    """Turns the box that tyro draws around an error, with a title, a rule and paragraphs, into the first paragraph."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [line.strip(" │╭╮╰╯─") for line in plain.splitlines()]
    # Where the terminal has no line-drawing characters the rules are hyphens.
    lines = ["" if set(line) <= {"-"} else line for line in lines]
    paragraphs = [" ".join(group) for full, group in itertools.groupby(lines, bool) if full]
    title = next(line for line in lines if line)
    body = paragraphs[0].removeprefix(title).strip() or (paragraphs[1] if len(paragraphs) > 1 else title)
    # What a dataclass itself refuses comes with the name of the class, which the user never typed.
    text = re.sub(r"^Error parsing [A-Z]\w*: ", "", body.replace(" (required)", ""))
    # Python's own words for a bad number are no help to someone at a command line.
    for pattern, kind in (
        (r"invalid literal for int\(\).*?: ", "a whole number"),
        (r"could not .* float: ", "a number"),
    ):
        text = re.sub(rf"^Error parsing (\S+): {pattern}", rf"\1 must be {kind}, got ", text)
    for name, kind in (("INT", "a whole number"), ("FLOAT", "a number")):
        pattern = rf"no type matching \{{None\}}\|{name} could be instantiated from \[(.*)\]"
        text = re.sub(rf"^Error parsing (\S+): {pattern}", rf"\1 must be {kind}, got \2", text)
    return text if text.endswith((".", "?", "!")) else f"{text}."


# --------------------------------------------------------------------------------------------------------- JSON


def to_json(config: Any, packages: tuple[str, ...] = PACKAGES) -> str:
    """Writes a config as indented JSON, in which every dataclass says its type as "module:name".

    Raises:
        TypeError: A leaf or container that a config may not have; the message names the field.
        ValueError: A float that is not finite, or a dataclass that could not be found again: defined inside a function,
            or outside `packages`.
    """
    return json.dumps(_to_plain(config, "config", packages), indent=2) + "\n"


def from_json(text: str, packages: tuple[str, ...] = PACKAGES) -> Any:
    """Reads back what `to_json` wrote; equal to the original. Fields that the JSON lacks take their defaults.

    Only frozen dataclasses of `packages` are looked up, so that a file cannot name other code.

    Raises:
        ValueError: A type that is unknown or not allowed, or a field that its dataclass does not have.
    """
    return _from_plain(json.loads(text), "config", packages)


def _to_plain(value: Any, path: str, packages: tuple[str, ...]) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if type(value) is int:
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"{path} is {value}, which JSON cannot hold: use None for 'no limit'.")
        return value
    if isinstance(value, tuple):
        return [_to_plain(item, f"{path}[{index}]", packages) for index, item in enumerate(value)]
    if isinstance(value, dict):
        if not all(isinstance(key, str) and key != TYPE_KEY for key in value):
            raise TypeError(f"{path} must have strings as keys (but not {TYPE_KEY!r}), got {list(value)}.")
        return {key: _to_plain(item, f"{path}.{key}", packages) for key, item in value.items()}
    if _is_frozen(value):
        kind = type(value)
        if kind.__module__.split(".")[0] not in packages or "<locals>" in kind.__qualname__:
            raise ValueError(
                f"{path} is a {kind.__module__}.{kind.__qualname__}, which cannot be found again from JSON: "
                f"define it at the top level of a module of {' or '.join(packages)}."
            )
        fields = {f.name: _to_plain(getattr(value, f.name), f"{path}.{f.name}", packages) for f in _init_fields(kind)}
        return {TYPE_KEY: f"{kind.__module__}:{kind.__qualname__}"} | fields
    hint = "use a tuple" if isinstance(value, list) else "use numbers, strings, None, tuples and frozen dataclasses"
    raise TypeError(f"{path} is a {type(value).__name__}, which a config may not hold: {hint}.")


def _from_plain(plain: Any, path: str, packages: tuple[str, ...]) -> Any:
    if isinstance(plain, list):
        return tuple(_from_plain(item, f"{path}[{index}]", packages) for index, item in enumerate(plain))
    if not isinstance(plain, dict):
        return plain
    fields = {key: _from_plain(item, f"{path}.{key}", packages) for key, item in plain.items() if key != TYPE_KEY}
    if TYPE_KEY not in plain:
        return fields
    kind = _find_type(plain[TYPE_KEY], path, packages)
    unknown = sorted(set(fields) - {field.name for field in _init_fields(kind)})
    if unknown:
        raise ValueError(f"{path} has the field {unknown[0]!r}, which {plain[TYPE_KEY]} does not: another version?")
    return kind(**fields)


def _find_type(name: str, path: str, packages: tuple[str, ...]) -> type:
    module_name, _, qualname = name.partition(":")
    if module_name.split(".")[0] not in packages:
        raise ValueError(f"{path} names the type {name!r}, but only those of {' and '.join(packages)} are allowed.")
    try:
        found: Any = importlib.import_module(module_name)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise ValueError(f"{path} names the type {name!r}, which does not exist in this version.") from None
    if not (isinstance(found, type) and _is_frozen(found)):
        raise ValueError(f"{path} names {name!r}, which is not a frozen dataclass.")
    return found


def _init_fields(kind: type) -> list[dataclasses.Field]:
    return [field for field in dataclasses.fields(kind) if field.init]


def _is_frozen(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and value.__dataclass_params__.frozen  # pyright: ignore


# ------------------------------------------------------------------------------------------------- comparing


def diff(a: Any, b: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Lists where two configs differ, as (path of the field, value in a, value in b), in the order of the fields.

    1 and 1.0 are the same; True and 1 are not. Dataclasses of different types, and tuples of different lengths, differ
    as a whole.
    """
    if dataclasses.is_dataclass(a) and type(a) is type(b):
        pairs = [(field.name, getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a)]
    elif isinstance(a, dict) and isinstance(b, dict):
        pairs = [(key, a.get(key), b.get(key)) for key in {**a, **b}]
    elif isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        pairs = [(str(index), *items) for index, items in enumerate(zip(a, b, strict=True))]
    else:
        same = a == b and isinstance(a, bool) == isinstance(b, bool)
        return [] if same else [(path, a, b)]
    return [entry for name, x, y in pairs for entry in diff(x, y, f"{path}.{name}" if path else name)]


def config_hash(config: Any, packages: tuple[str, ...] = PACKAGES) -> str:
    """Returns 16 hexadecimal digits that depend on the values of a config alone; the same in every process.

    Configs between which `diff` finds nothing have the same hash: 1 and 1.0 are one value.
    """
    plain = _merge_numbers(_to_plain(config, "config", packages))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _merge_numbers(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_merge_numbers(item) for item in plain]
    if isinstance(plain, dict):
        return {key: _merge_numbers(item) for key, item in plain.items()}
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain
