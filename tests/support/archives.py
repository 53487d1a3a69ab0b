"""What an exported site or page holds, read without any of the code that wrote it."""

from __future__ import annotations

import base64
import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


def unpacked(content: bytes) -> Any:
    """A document from its bytes, each long text in its place."""
    document = json.loads(gzip.decompress(content))
    texts = document["texts"]

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(item) for item in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$"), int) and not isinstance(value["$"], bool):
            return texts[value["$"]]
        return {name.removeprefix("$") if name.startswith("$") else name: whole(item) for name, item in value.items()}

    return whole(document["value"])


def documents_of(site: Path) -> dict[str, Any]:
    """The documents of a site by their names: `store`, `runs/ID/tests`."""
    data = site / "data"
    return {
        file.relative_to(data).as_posix().removesuffix(".json.gz"): unpacked(file.read_bytes())
        for file in data.rglob("*.json.gz")
    }


def tree_of(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class PageOfOneFile(HTMLParser):
    """What a browser finds in a page: its elements, and the policy that it is given."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.policy: dict[str, list[str]] = {}
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        """The text of each element, in their order; of those that hold others the beginning."""
        self._is_inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attributes}
        self.elements.append((tag, told))
        self.texts.append("")
        self._is_inside = True
        if told.get("http-equiv", "").lower() == "content-security-policy":
            rules = [rule.split() for rule in told["content"].split(";") if rule.strip()]
            self.policy = {name: values for name, *values in rules}

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = False

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        """The attributes and the text of each element of this name."""
        found = zip(self.elements, self.texts, strict=True)
        return [(attributes, text) for (name, attributes), text in found if name == tag]

    @property
    def documents(self) -> dict[str, str]:
        """Base64 of each document, by its name."""
        return {told["data-document"]: text for told, text in self.all("script") if "data-document" in told}

    def document(self, name: str) -> Any:
        return unpacked(base64.b64decode(self.documents[name], validate=True))
