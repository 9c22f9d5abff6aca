"""What a page lists of the captions of a folder, and the image that is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.ui.dataset.captions import view
from lib_ti.ui.dataset.captions.query import Query, neighbor
from lib_ti.ui.dataset.captions.service import CaptionService, OpenImage
from lib_ti.ui.html.fragments import notice

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionSet
    from lib_ti.ui.dataset.captions.state import Editor


@dataclass(frozen=True)
class Listing:
    """The captions of an editor at one moment; the methods return their HTML."""

    service: CaptionService
    editor: Editor
    captions: CaptionSet
    opened: OpenImage
    query: Query

    @classmethod
    def of(cls, service: CaptionService, editor: Editor, opened: OpenImage, query: Query, name: str) -> Listing:
        """Open one of the images, the first where there is none of that name."""
        captions = editor.captions
        name = name if name in captions.texts else next(iter(captions.texts))
        return cls(service, editor, captions, replace(opened, name=name, text=captions.texts[name]), query)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the listed images; all images where the search is not valid."""
        return self._found[0]

    def selection(self) -> tuple[str, ...]:
        """Return the names of the listed images, for changing them.

        Raises
        ------
        BadInput
            When the search is not valid.
        """
        return self.query.names(self.captions, self._is_long)

    @cached_property
    def _found(self) -> tuple[tuple[str, ...], str]:
        try:
            return self.selection(), ""
        except BadInput as error:
            return tuple(self.captions.texts), notice("error", error.problems)

    def image(self) -> str:
        folder, name = self.captions.folder, self.opened.name
        following = neighbor(self.captions, self.names, name, 1)
        ahead = None if following == name else folder / following
        return view.image(folder / name, ahead)

    @property
    def position(self) -> int:
        """Number of the open image in the list; 0 where it is not listed."""
        return self.names.index(self.opened.name) + 1 if self.opened.name in self.names else 0

    def length(self) -> str:
        budget = self.opened.budget
        return view.length(self.service.length(self.opened.text, budget.tokens), budget)

    def state(self) -> str:
        return view.state(self.editor)

    def rows(self) -> str:
        rows = view.rows(self.captions, self.names, self.opened.name, self._tokens, self.opened.budget.tokens)
        return self._found[1] + rows

    def _tokens(self, text: str) -> int:
        return self.service.length(text, self.opened.budget.tokens).tokens

    def _is_long(self, text: str) -> bool:
        return self._tokens(text) > self.opened.budget.tokens
