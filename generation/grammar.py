"""The form of an answer with a citation mark, as a grammar that a model on this machine must follow.

Knows nothing of what the answer says.
"""

from __future__ import annotations

from collections.abc import Sequence


def grammar(numbers: Sequence[int], characters: int = 240) -> str:
    """GBNF for one sentence of at most about `characters` characters, then " [n]" with n among `numbers`.

    A full stop ends the sentence, unless a letter or digit follows at once ("3.5", "U.S.") or it ends an abbreviation.
    """
    marks = " | ".join(f'"{number}"' for number in numbers)
    abbreviations = " | ".join(f'"{short}. "' for short in ("Inc", "Corp", "Co", "Ltd", "No", "Mr", "Ms", "Dr", "vs"))
    return (
        "root ::= line\n"  # a rule of its own, so that other engines may take it as one regular expression
        f'line ::= " "? first rest{{0,{characters}}} "."? " [" number "]"\n'
        "first ::= [^\\[\\] \\n.]\n"
        f'rest ::= [^\\[\\]\\n.] | "." [0-9A-Za-z,] | {abbreviations}\n'
        f"number ::= {marks}\n"
    )
