"""What is looked for in captions, as a person says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lib_ti.errors import BadInput
from lib_ti.wording import quoted


@dataclass(frozen=True)
class Search:
    """Words, or a regular expression, to look for.

    ``whole_words`` leaves out what is found within longer words.
    """

    words: str
    regex: bool = False
    whole_words: bool = False
    match_case: bool = False

    def pattern(self) -> re.Pattern[str]:
        """The search as a regular expression.

        Raises
        ------
        BadInput
            When there is nothing to look for, or it is no regular expression.
        """
        if not self.words:
            raise BadInput("The search is empty; write what to look for.")
        source = self.words if self.regex else re.escape(self.words)
        try:
            re.compile(source)  # by itself first: an error's place is then that in what the person wrote
            whole = rf"(?<!\w)(?:{source})(?!\w)" if self.whole_words else source
            return re.compile(whole, 0 if self.match_case else re.IGNORECASE)
        except re.error as error:
            raise BadInput(
                f"The search {quoted(self.words)} is not a regular expression ({error}); correct it, or search for "
                "it as it is written."
            ) from error

    def replacer(self, by: str) -> Callable[[str], str]:
        r"""What replaces everything found in a text by ``by``, in which a regular expression's groups are ``\1``.

        Raises
        ------
        BadInput
            When ``by`` names a group that the search does not have, and as :meth:`pattern` does.
        """
        pattern = self.pattern()
        if not self.regex:
            return lambda text: pattern.sub(lambda _: by, text)
        try:
            pattern.sub(by, "")  # looks at the replacement even where nothing is found
        except (re.error, IndexError) as error:
            raise BadInput(
                f"The replacement {quoted(by)} does not fit the search {quoted(self.words)} ({error}); its groups "
                "are \\1, \\2 and so on, and a backslash itself is \\\\."
            ) from error
        return lambda text: pattern.sub(by, text)
