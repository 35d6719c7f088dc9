"""The tables of commands of vlc and vlrun, as the programs' manual pages show them."""
import re
import subprocess
from typing import NamedTuple


class Command(NamedTuple):
    synopsis: str  # the operands as help shows them
    options: dict  # name -> whether a value follows


def _plain(text):
    """Text of a manual page without its markup."""
    return re.sub(r"\\f.", "", text).replace("\\-", "-").replace("\\&", "").replace("\\(aq", "'")


def _section(page, name):
    match = re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", page, re.M | re.S)
    return match[1] if match else ""


def _options(page):
    """Of entries such as `-o, --output FILE`."""
    options = {}
    for entry in re.findall(r"^\.TP\n(.*)$", _section(page, "OPTIONS"), re.M):
        words = _plain(entry).replace(",", "").split()
        names = [word for word in words if word.startswith("-")]
        options.update(dict.fromkeys(names, len(words) > len(names)))
    return options


def _manual(program, *command):
    return subprocess.run([program, "--man", *command], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def read(program):
    """Name -> Command; "" is the program itself."""
    page = _manual(program)
    commands = {"": Command("", _options(page))}
    for name in re.findall(r"^\.TP\n\\fB(.*)\\fR$", _section(page, "COMMANDS"), re.M):
        name = _plain(name)
        own = _manual(program, name)
        words = re.sub(r"\[options\]", "", _plain(_section(own, "SYNOPSIS"))).split()
        commands[name] = Command(" ".join(words[2:]), _options(own))
    return commands


def operands(synopsis):
    """The least and most number of operands; most is None if there is no bound. `A | B` are one or
    the other, `[A]` may be missing, `A...` are one or more; `< A` is no operand."""
    synopsis = re.sub(r"\s*\|\s*", "|", synopsis)
    least = most = 0
    unbounded = False
    for word in re.sub(r"<.*", "", synopsis).split():
        least += not word.startswith("[")
        most += 1
        unbounded = unbounded or "..." in word
    return least, None if unbounded else most
