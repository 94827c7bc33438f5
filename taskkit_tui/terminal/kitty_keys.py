"""Translates keys of the kitty keyboard protocol into the form that Textual reads.

Textual does not know alternate keys and key event types. https://sw.kovidgoyal.net/kitty/keyboard-protocol/
"""

from __future__ import annotations

import re
from typing import Final

FLAGS: Final = 0b11101
"""The requested features: unambiguous codes (1), alternate keys (4), all keys (8), their text (16)."""

_KEY: Final = re.compile(r"\x1b\[([\d:]*)(?:;([\d:]*))?(?:;([\d:]*))?([u~A-FHPQS])")
_SHIFT, _ALT, _CTRL, _LOCKS = 1, 2, 4, 64 | 128
_RELEASED: Final = "3"
_OTHER_KEY: Final = 27
"""The code of xterm's `modifyOtherKeys`, which has the key in the third field."""

_LAYOUTS: Final = (
    # Cyrillic: Russian, and the other letters of Ukrainian, Belarusian and Serbian.
    ("йцукенгшщзхъфывапролджэячсмитьбюіїєўљњџђћјѕ", "qwertyuiop[]asdfghjkl;'zxcvbnm,.s]'oqwx]'jz"),
    ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),  # Greek
    ("קראטוןםפשדגכעיחלךףזסבהנמצתץ", "ertyuiopasdfghjkl;zxcvbnm,."),  # Hebrew
    ("ضصثقفغعهخحجدشسيبلاتنمكطئءؤرىةوزظ", "qwertyuiop[]asdfghjkl;'zxcvnm,./"),  # Arabic
    ("چسیپگظطزرذدو", "]sdm'zxcvbn,"),  # Persian, where it differs
    ("ქწერტყუიოპასდფგჰჯკლზხცვბნმ", "qwertyuiopasdfghjklzxcvbnm"),  # Georgian
    ("ๆไำพะัีรนยฟหกดเ้่าสวผปแอิืท", "qwertyuiopasdfghjkl;zxcvbnm"),  # Thai
    ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", "qwertyuiopasdfghjklzxcvbnm"),  # Korean
)
_LATIN: Final = {
    ord(letter): ord(key) for letters, keys in _LAYOUTS for letter, key in zip(letters, keys, strict=True)
}


def plain_key(sequence: str) -> str | None:
    """Translate a key into the form that Textual reads; return every other sequence as it is.

    With ctrl, a key that is not a Latin letter counts as the one in its place on a Latin keyboard: ctrl+c is
    ctrl+c in each layout. Without ctrl it is the letter of the layout.

    Returns:
        The sequence, or `None` for a key that was released.

    Raises:
        ValueError: A number is missing.
    """
    found = _KEY.fullmatch(sequence)
    if found is None:
        return sequence
    codes, modifiers, text, end = found.groups(default="")
    pressed, _, event = modifiers.partition(":")
    if event == _RELEASED:
        return None
    held = (int(pressed or 1) - 1) & ~_LOCKS
    code, shifted, base = [int(each or 0) for each in f"{codes}::".split(":")[:3]]
    if end == "~" and code == _OTHER_KEY and text:
        code, text, end = int(text), "", "u"
    if end == "u":
        if held & _CTRL and not (text and held & _ALT):  # both and a text are AltGr
            code, text = _latin(code, base), ""
        elif held == _SHIFT and shifted and not text:
            text = str(shifted)
    if text:
        return f"\x1b[{code or 1};{held + 1};{text}{end}"
    return f"\x1b[{code or 1};{held + 1}{end}" if held else f"\x1b[{code or 1}{end}"


def _latin(code: int, base: int) -> int:
    """Return the key that counts with ctrl, whatever the layout."""
    if _is_latin(code):
        return code
    if _is_latin(base):
        return base
    return _LATIN.get(ord(chr(code).lower()[0]), code)


def _is_latin(code: int) -> bool:
    return ord("a") <= code | 0x20 <= ord("z") and code < 0x80
