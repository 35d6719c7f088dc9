"""Pages in Markdown, as far as tests need them: blocks, spans of code, links and headings."""
import re
from typing import NamedTuple


class Block(NamedTuple):
    line: int  # of its first line of text, from 1
    kind: str  # what a fence says it is; "" if it is indented
    lines: list


class Found(NamedTuple):
    line: int
    text: str


def _fence(lines, start):
    """The number of the line that closes the fence of line `start`."""
    end = start + 1
    while end < len(lines) and not lines[end].startswith("```"):
        end += 1
    return end


def _indented(lines, start):
    end = start
    while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return end


def blocks(text):
    """Fenced blocks, and indented ones, which follow an empty line and are no part of a list."""
    lines, at = text.split("\n"), 0
    while at < len(lines):
        if lines[at].startswith("```"):
            end = _fence(lines, at)
            yield Block(at + 2, lines[at][3:].strip(), lines[at + 1:end])
            at = end + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = _indented(lines, at)
            yield Block(at + 1, "", [line[4:] for line in lines[at:end]])
            at = end
        else:
            at += 1


def prose(text):
    """The text with empty lines in place of blocks."""
    lines = text.split("\n")
    for block in blocks(text):
        for at in range(block.line - 1, block.line - 1 + len(block.lines)):
            lines[at] = ""
        if block.kind:
            lines[block.line - 2] = ""
    return "\n".join(lines)


def _found(pattern, text):
    words = prose(text)
    for match in re.finditer(pattern, words):
        yield Found(words.count("\n", 0, match.start()) + 1, " ".join(match[1].split()))


def spans(text):
    """What stands between backticks outside of blocks."""
    return _found(r"`([^`]+)`", text)


def links(text):
    """Where links lead."""
    return _found(r"\]\(([^)\s]+)\)", text)


def anchors(text):
    """Names of the headings, as GitHub makes them."""
    names = set()
    for line in prose(text).split("\n"):
        if line.startswith("#"):
            title = re.sub(r"[^\w\s-]", "", line.lstrip("#").strip().lower())
            names.add(title.replace(" ", "-"))
    return names
