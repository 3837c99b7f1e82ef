"""The form of view content, for pages that embed it: which sockets are shown in which viewport, and in which order.

    form = ViewContentForm(request.POST or None, sockets=choices, protocol=protocol.json, content=archive.view_content)
    if form.is_valid():
        form.content()          # as `view_content` is kept

and in the template `{% include "pages/viewing/content_fields.html" with content_form=form %}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from medtheca.toolkit.sockets.kinds import KINDS
from medtheca.toolkit.viewing.contents import NOT_SHOWN, content_faults
from medtheca.toolkit.viewing.layouts import in_order
from medtheca.toolkit.viewing.protocols import VIEWPORTS, viewport_names

SPARE = 2
"""Empty places that each viewport offers beside those that are filled."""

WITHOUT_PROTOCOL = 4
"""Viewports that are offered where no hanging protocol says which there are."""


@dataclass(frozen=True, slots=True)
class SocketChoice:
    """A socket that can be shown: its slug, what people call it, and the code of its kind."""

    slug: str
    title: str
    kind: str


class ViewContentForm(forms.Form):
    """For each viewport a few choices; what comes first lies behind what comes later."""

    def __init__(
        self,
        *args: Any,
        sockets: Sequence[SocketChoice],
        protocol: Any = None,
        content: Mapping[str, Sequence[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("prefix", "content")
        super().__init__(*args, **kwargs)
        self._protocol = protocol
        self._kinds = {socket.slug: socket.kind for socket in sockets}
        kept = content or {}
        named = [name for name in viewport_names(protocol) if name in VIEWPORTS]
        self.viewports = in_order(named or [*VIEWPORTS[:WITHOUT_PROTOCOL], *(set(kept) - set(VIEWPORTS[:4]))])
        choices = [("", "Nothing"), *self._grouped(sockets)]
        for viewport in self.viewports:
            shown = list(kept.get(viewport, []))
            unknown = [(slug, f"{slug} (not there any more)") for slug in shown if slug not in self._kinds]
            for place in range(max(len(shown) + SPARE, 3)):
                self.fields[f"{viewport}-{place}"] = forms.ChoiceField(
                    required=False,
                    choices=[*choices, *unknown],
                    label=f"{viewport}, {place + 1}",
                    initial=shown[place] if place < len(shown) else "",
                )

    def _grouped(self, sockets: Sequence[SocketChoice]) -> list[tuple[str, list[tuple[str, str]]]]:
        """The sockets under the words for their kinds; those that no viewport can show are not offered."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for socket in sorted(sockets, key=lambda one: one.title.casefold()):
            if socket.kind not in NOT_SHOWN:
                groups.setdefault(KINDS[socket.kind].label, []).append((socket.slug, socket.title))
        return list(groups.items())

    def content(self) -> dict[str, list[str]]:
        """What was chosen, viewports without anything left out."""
        chosen = {
            viewport: [
                slug
                for name, slug in self.cleaned_data.items()
                if name.rpartition("-")[0] == viewport and isinstance(slug, str) and slug
            ]
            for viewport in self.viewports
        }
        return {viewport: slugs for viewport, slugs in chosen.items() if slugs}

    def clean(self) -> dict[str, Any]:
        """Refuse what the rules refuse, at the viewport that it is about."""
        cleaned: dict[str, Any] = super().clean() or {}
        for fault in content_faults(self.content(), protocol=self._protocol, kinds=self._kinds):
            first = f"{fault.path[0]}-0" if fault.path else ""
            self.add_error(first if first in self.fields else None, f"{fault.message} {fault.remedy}".strip())
        return cleaned

    def rows(self) -> list[dict[str, Any]]:
        """Each viewport with its fields, for the template."""
        return [
            {
                "viewport": viewport,
                "fields": [self[name] for name in self.fields if name.rpartition("-")[0] == viewport],
                "errors": list(self[f"{viewport}-0"].errors),
            }
            for viewport in self.viewports
        ]
