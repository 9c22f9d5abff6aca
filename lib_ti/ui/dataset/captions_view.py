"""A page's look at the captions of a folder: which ones it lists, and the one that is open. No Gradio."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.ui.dataset import captions_page
from lib_ti.ui.dataset.captions_query import Query, neighbour
from lib_ti.ui.dataset.captions_work import Captions, Shown
from lib_ti.ui.html.fragments import notice

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionSet
    from lib_ti.ui.dataset.captions_editing import Editor


@dataclass(frozen=True)
class View:
    """``captions`` are those of the editor at one moment; the methods make what is shown of them."""

    work: Captions
    editor: Editor
    captions: CaptionSet
    shown: Shown
    query: Query

    @classmethod
    def of(cls, work: Captions, editor: Editor, shown: Shown, query: Query, name: str) -> View:
        """A look at one of the pictures, the first where there is none of that name."""
        captions = editor.captions
        name = name if name in captions.texts else next(iter(captions.texts))
        return cls(work, editor, captions, replace(shown, name=name, text=captions.texts[name]), query)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The pictures that are listed; all of them where the search cannot be understood."""
        return self._found[0]

    def selection(self) -> tuple[str, ...]:
        """The pictures that are listed, for changing them.

        Raises
        ------
        BadInput
            When the search cannot be understood.
        """
        return self.query.names(self.captions, self._is_long)

    @cached_property
    def _found(self) -> tuple[tuple[str, ...], str]:
        try:
            return self.selection(), ""
        except BadInput as error:
            return tuple(self.captions.texts), notice("error", error.problems)

    def picture(self) -> str:
        folder, name = self.captions.folder, self.shown.name
        following = neighbour(self.captions, self.names, name, 1)
        ahead = None if following == name else folder / following
        return captions_page.picture(folder / name, ahead)

    @property
    def place(self) -> int:
        """The number of the picture in the list; 0 where it is not listed."""
        return self.names.index(self.shown.name) + 1 if self.shown.name in self.names else 0

    def length(self) -> str:
        room = self.shown.room
        return captions_page.length(self.work.length(self.shown.text, room.tokens), room)

    def state(self) -> str:
        return captions_page.state(self.editor)

    def listing(self) -> str:
        rows = captions_page.rows(self.captions, self.names, self.shown.name, self._tokens, self.shown.room.tokens)
        return self._found[1] + rows

    def _tokens(self, text: str) -> int:
        return self.work.length(text, self.shown.room.tokens).tokens

    def _is_long(self, text: str) -> bool:
        return self._tokens(text) > self.shown.room.tokens
