"""A search in captions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lib_ti.errors import BadInput
from lib_ti.wording import quoted


@dataclass(frozen=True)
class Search:
    """Words, or a regular expression, to find.

    ``whole_words`` ignores matches within longer words.
    """

    words: str
    regex: bool = False
    whole_words: bool = False
    match_case: bool = False

    def pattern(self) -> re.Pattern[str]:
        """Return the search as a regular expression.

        Raises
        ------
        BadInput
            When the search is empty, or is not a valid regular expression.
        """
        if not self.words:
            raise BadInput("The search is empty; enter what to find.")
        source = self.words if self.regex else re.escape(self.words)
        try:
            re.compile(source)  # by itself first, so that the position in an error is that in what was entered
            whole = rf"(?<!\w)(?:{source})(?!\w)" if self.whole_words else source
            return re.compile(whole, 0 if self.match_case else re.IGNORECASE)
        except re.error as error:
            raise BadInput(
                f"The search {quoted(self.words)} is not a regular expression ({error}); correct it, or switch "
                "Regex off."
            ) from error

    def replacer(self, by: str) -> Callable[[str], str]:
        r"""Return a function that replaces every match in a text by ``by``, in which groups of a regular expression are
        ``\1``.

        Raises
        ------
        BadInput
            When ``by`` refers to a group that the search does not have, and as :meth:`pattern` does.
        """
        pattern = self.pattern()
        if not self.regex:
            return lambda text: pattern.sub(lambda _: by, text)
        try:
            pattern.sub(by, "")  # checks the replacement even where nothing is found
        except (re.error, IndexError) as error:
            raise BadInput(
                f"The replacement {quoted(by)} does not fit the search {quoted(self.words)} ({error}); its groups "
                "are \\1, \\2 and so on, and a backslash itself is \\\\."
            ) from error
        return lambda text: pattern.sub(by, text)
