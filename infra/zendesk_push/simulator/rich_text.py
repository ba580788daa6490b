"""Shows an ``html_message`` as a support team would see it: a few harmless tags, everything else as plain text.

The content comes from whoever wrote to the upstream system, so nothing of it is trusted: tags that are not
listed vanish, no attribute survives but the address of a link, scripts and styles go with what is in them.
"""

from __future__ import annotations

from html.parser import HTMLParser

from markupsafe import Markup, escape

BLOCKS = frozenset(("blockquote", "div", "h1", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "ul"))
TABLES = frozenset(("table", "tbody", "td", "th", "thead", "tr"))
INLINE = frozenset(("a", "b", "br", "code", "em", "i", "s", "span", "strong", "sub", "sup", "u"))
TAGS = BLOCKS | TABLES | INLINE
VOID = frozenset(("br", "hr"))
SILENT = frozenset(("script", "style", "title", "template", "iframe", "object", "textarea", "noscript"))
MAX_DEPTH = 50


def rich_text(source: str) -> Markup:
    """``source`` with only harmless markup left, every tag closed."""
    writer = _Writer()
    writer.feed(source)
    writer.close()
    return writer.result()


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[Markup] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def result(self) -> Markup:
        closing = (Markup("</{}>").format(tag) for tag in reversed(self._open))
        return Markup("").join([*self._parts, *closing])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        if self._silent or tag not in TAGS or len(self._open) >= MAX_DEPTH:
            return
        link = next((value for key, value in attrs if key == "href" and value), None) if tag == "a" else None
        if link is not None and link.lower().startswith(("https://", "http://", "mailto:")):
            start = Markup('<a href="{}" rel="noreferrer noopener" target="_blank">').format(link)
        else:
            start = Markup("<{}>").format(tag)
        self._parts.append(start)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
            return
        if tag in self._open:
            while True:
                closed = self._open.pop()
                self._parts.append(Markup("</{}>").format(closed))
                if closed == tag:
                    return

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(escape(data))
