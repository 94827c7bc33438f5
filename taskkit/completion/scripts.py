"""The completion scripts that shells load: each asks `words.py` for the words that fit."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from taskkit.completion.table import completion_table, short_help

SHELLS: Final = ("bash", "zsh", "fish")

_BASH: Final = """\
# Completion of @PROG@ for bash.
_@ID@_complete() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(@ASK@ bash @TABLE@ "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && type compopt >/dev/null 2>&1; then
        compopt -o nospace
    fi
}
complete -F _@ID@_complete @PROG@
"""

_ZSH: Final = """\
#compdef @PROG@
# Completion of @PROG@ for zsh.
_@PROG@() {
    local line
    local -a found shown folders
    while IFS= read -r line; do
        if [[ $line == */ ]]; then
            folders+=("$line")
        else
            found+=("${line%%$'\\t'*}")
            shown+=("${line/$'\\t'/  -- }")
        fi
    done < <(@ASK@ zsh @TABLE@ "${(@Q)words[1,CURRENT]}" 2>/dev/null)
    compadd -l -d shown -a found
    compadd -S '' -a folders
}
if [[ ${funcstack[1]} == _@PROG@ ]]; then
    _@PROG@ "$@"
else
    (( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit -i }
    compdef _@PROG@ @PROG@
fi
"""

_FISH: Final = """\
# Completion of @PROG@ for fish.
function __@ID@_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    @ASK@ fish @TABLE@ $before "$current" 2>/dev/null
end
complete -c @PROG@ -f -a '(__@ID@_complete)'
"""

_SCRIPTS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def completion_script(
    shell: str,
    parser: argparse.ArgumentParser,
    subcommands: Mapping[str, argparse.ArgumentParser] | None = None,
) -> str:
    """Return the completion script of a command.

    It has the options of this version, and asks the Python that runs now, without importing taskkit: loading
    the library would take longer than a person waits for a key.

    Args:
        shell: One of `SHELLS`.
        parser: The parser of the command, with its subcommands.
        subcommands: The parsers of further subcommands, by name.
    """
    from importlib.resources import files  # each start of a command would load it otherwise

    quote = _fish_quoted if shell == "fish" else _posix_quoted
    program = str(files("taskkit.completion").joinpath("words.py"))
    table = completion_table(parser)
    for name, subparser in (subcommands or {}).items():
        table["commands"][name] = completion_table(subparser) | {"help": short_help(subparser.description)}
    words = {
        "ID": parser.prog.replace("-", "_"),
        "PROG": parser.prog,
        "ASK": " ".join(map(quote, (_python(), "-I", "-S", program))),
        "TABLE": quote(json.dumps(table, separators=(",", ":"))),
    }
    script = _SCRIPTS[shell]
    for name, word in words.items():
        script = script.replace(f"@{name}@", word)
    return script


def _python() -> str:
    """Return the path of this Python; by the name that a shell finds it under if the system hides it."""
    return str(Path(sys.executable).absolute()) if sys.executable else "python3"


def _posix_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
