#!/usr/bin/env python3
"""Hold the rooms of the project to their arrows, and files to have no circles.

usage: tests/house/arrows_test.py BUILD_DIR

`arrows` beside this file lists each room (a folder of sources) and the rooms it may include. Looked at are
the includes of all sources outside of tests, the libraries that each room's CMakeLists.txt links, and the
symbols of the object files in BUILD_DIR: a file may only use what its room may include, however it is
declared, and no two files may need each other, directly or through others, within a room or across rooms.
Every rule is then broken in a copy or in made-up symbols, to see that it is noticed.
"""
import collections
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIST = "tests/house/arrows"
NOT_LOOKED_AT = {"tests", "build", "examples", "python"}
SOURCE = re.compile(r"\.(c|cc|h|def)$")
INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|(<[^>]+>))')


# -- the list ----------------------------------------------------------------------------------------

class Arrows:
    """Rooms and what they may include; headers of libraries and who may; faults of the list itself."""

    def __init__(self, text):
        self.rooms, self.lines, self.libraries, self.faults = {}, {}, {}, []
        name = None
        for number, line in enumerate(text.split("\n"), 1):
            words = line.split("#")[0].replace(":", ": ").split()
            if words and not line[0].isspace():
                name = words.pop(0).rstrip(":")
                self.lines[name] = number
                (self.libraries if name.startswith("<") else self.rooms)[name] = []
            for word in words:
                self.add(name, word, number)

    def add(self, name, word, number):
        if word not in self.rooms or word == name:
            self.faults.append(f"{LIST}:{number}: '{word}' does not stand above '{name}': arrows only go down")
        (self.libraries if name.startswith("<") else self.rooms)[name].append(word)

    def may(self, room, other):
        return room == other or other in self.rooms[room]


# -- includes and CMakeLists.txt ---------------------------------------------------------------------

def files_of(root, wanted):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith(".")
                            and not (folder == root and f in NOT_LOOKED_AT))
        for name in sorted(names):
            if wanted(name):
                yield os.path.relpath(os.path.join(folder, name), root)


def include_fault(arrows, room, quoted, library, used):
    if library:
        for begin, rooms in arrows.libraries.items():
            if library.startswith(begin):
                used.add((begin, room))
                if room not in rooms:
                    return f"{library} is for {', '.join(rooms)} alone"
        return None
    other = os.path.dirname(quoted) or room
    used.add((room, other))
    if arrows.may(room, other):
        return None
    if other not in arrows.rooms:
        return f'"{quoted}": {LIST} has no room \'{other}\''
    return f'"{quoted}": {room} may not include {other}'


def check_includes(root, arrows, used):
    """Adds to `used` what is made use of: pairs of rooms, of libraries' headers and
    rooms, and of each room with sources and itself."""
    faults = []
    for path in files_of(root, SOURCE.search):
        room = os.path.dirname(path)
        if room not in arrows.rooms:
            faults.append(f"{path}:1: {LIST} has no room '{room}'")
            continue
        used.add((room, room))
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                match = INCLUDE.match(line)
                fault = match and include_fault(arrows, room, *match.groups(), used)
                if fault:
                    faults.append(f"{path}:{number}: {fault}")
    return faults


def check_unused(arrows, used):
    faults = []
    for name, others in [*arrows.rooms.items(), *arrows.libraries.items()]:
        where = f"{LIST}:{arrows.lines[name]}"
        if name in arrows.rooms and (name, name) not in used:
            faults.append(f"{where}: room '{name}' has no source")
        faults += [f"{where}: no file needs the arrow between '{name}' and '{other}'"
                   for other in others if (name, other) not in used]
    return faults


def check_links(root, arrows):
    """Of what a room links, all of our libraries are of rooms that it may include."""
    room_of, links, faults = {}, [], []
    for path in files_of(root, lambda name: name == "CMakeLists.txt"):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = re.sub(r"#.*", "", file.read())
        room = os.path.dirname(path)
        for target in re.findall(r"add_library\(\s*(vlg_\w+)\s+STATIC", text):
            room_of[target] = room
        for match in re.finditer(r"target_link_libraries\(([^)]*)\)", text):
            line = text.count("\n", 0, match.start()) + 1
            links += [(path, line, room, word) for word in match[1].split()[1:]]
    for path, line, room, word in links:
        other = room_of.get(word)
        if other and room in arrows.rooms and not arrows.may(room, other):
            faults.append(f"{path}:{line}: {word}: {room} may not link {other}")
    return faults


# -- symbols -----------------------------------------------------------------------------------------

def read_objects(build):
    """Sources outside of tests, by the object files they become."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    sources = {}
    for command in commands:
        source = os.path.relpath(command["file"], ROOT)
        words = shlex.split(command["command"])
        target = os.path.join(command["directory"], words[words.index("-o") + 1])
        if source.split(os.sep)[0] in NOT_LOOKED_AT:
            continue
        if not os.path.exists(target):
            sys.exit(f"{target} is not built")
        sources[target] = source
    return sources


def read_symbols(build):
    """The source that defines each symbol, and the symbols that each source takes from others."""
    sources = read_objects(build)
    defined, needed = {}, collections.defaultdict(set)
    for line in subprocess.check_output(["nm", "-A", *sources], text=True).splitlines():
        target, rest = line.split(":", 1)
        kind, symbol = rest.split()[-2:]
        if kind in "Uw":
            needed[sources[target]].add(symbol)
        elif kind in "TDBRC":
            defined[symbol] = sources[target]
    return defined, needed


def uses_between(defined, needed):
    """uses[a][b]: the symbols that file a takes from file b."""
    uses = collections.defaultdict(lambda: collections.defaultdict(list))
    for source in sorted(needed):
        for symbol in sorted(needed[source]):
            other = defined.get(symbol)
            if other and other != source:
                uses[source][other].append(symbol)
    return uses


def reachable(uses, start):
    found, todo = set(), [start]
    while todo:
        for other in uses.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def find_circles(uses):
    reach = {source: reachable(uses, source) for source in uses}
    return sorted({tuple(sorted(other for other in reach[source] if source in reach.get(other, ())))
                   for source in uses if source in reach[source]})


def check_symbols(uses, arrows, known, used):
    faults = []
    for source in uses:
        for other, symbols in uses[source].items():
            rooms = os.path.dirname(source), os.path.dirname(other)
            used.add(rooms)
            if not arrows.may(*rooms):
                faults.append(f"{source}: uses {symbols[0]} of {other}: {rooms[0]} may not use {rooms[1]}")
    circles = find_circles(uses)
    for circle in circles:
        if not any(set(circle) <= set(listed) for listed in known):
            faults.append("files need each other: " + ", ".join(circle))
            faults += [f"  {a} uses {', '.join(uses[a][b])} of {b}"
                       for a in circle for b in circle if b in uses[a]]
    faults += [f"tests/house/circles: no circle is left of {', '.join(listed)}" for listed in known
               if not any(set(circle) <= set(listed) for circle in circles)]
    return faults


# -- the test of the test ----------------------------------------------------------------------------

BROKEN = [  # (file, line that is added to it, what must be said of it)
    ("ir/type.c", '#include "codegen/jit.h"', "ir/type.c:{line}: \"codegen/jit.h\": ir may not include codegen"),
    ("runtime/data/tokenizer/bpe.c", "#include <llvm-c/Core.h>",
     "runtime/data/tokenizer/bpe.c:{line}: <llvm-c/Core.h> is for codegen alone"),
    ("passes/flow.c", '#include "attic/trunk.h"',
     "passes/flow.c:{line}: \"attic/trunk.h\": tests/house/arrows has no room 'attic'"),
    ("attic/trunk.c", "", "attic/trunk.c:1: tests/house/arrows has no room 'attic'"),
    ("runtime/data/tokenizer/CMakeLists.txt", "target_link_libraries(vlg_tokenizer PUBLIC vlg_codegen)",
     "runtime/data/tokenizer/CMakeLists.txt:{line}: vlg_codegen: runtime/data/tokenizer may not link codegen"),
]


def append(path, line):
    """Adds a line to a file, which may be new; which one it is."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        file.seek(0)
        lines = file.read().count("\n")
        file.write(line + "\n")
    return lines + 1


def check_copy(arrows):
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        copy = os.path.join(scratch, "copy")
        for path in files_of(ROOT, lambda name: SOURCE.search(name) or name == "CMakeLists.txt"):
            os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
            shutil.copyfile(os.path.join(ROOT, path), os.path.join(copy, path))
        expected = [fault.format(line=append(os.path.join(copy, path), line)) for path, line, fault in BROKEN]
        found = check_includes(copy, arrows, set()) + check_links(copy, arrows)
        missed += [f"not noticed: {fault}" for fault in expected if fault not in found]
    return missed


def check_list(text, used):
    """An arrow upward, one that nothing needs, and a room that is not there."""
    broken = Arrows(text.replace("ir/base\n", "ir/base: codegen\n", 1) + "\nattic: codegen\n")
    found = broken.faults + check_unused(broken, used)
    wanted = ["'codegen' does not stand above 'ir/base': arrows only go down", "room 'attic' has no source",
              "no file needs the arrow between 'attic' and 'codegen'"]
    return [f"not noticed: {fault}" for fault in wanted if not any(fault in line for line in found)]


def check_made_up(arrows):
    defined = {"one": "ir/a.c", "two": "ir/b.c", "three": "ir/c.c", "four": "codegen/d.c"}
    needed = {"ir/a.c": {"two"}, "ir/b.c": {"three"}, "ir/c.c": {"one"}, "ir/base/e.c": {"four"}}
    found = check_symbols(uses_between(defined, needed), arrows, [("x.c", "y.c")], set())
    wanted = ["files need each other: ir/a.c, ir/b.c, ir/c.c",
              "ir/base/e.c: uses four of codegen/d.c: ir/base may not use codegen",
              "tests/house/circles: no circle is left of x.c, y.c"]
    return [f"not noticed: {fault}" for fault in wanted if fault not in found]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(os.path.join(ROOT, LIST), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(HERE, "circles"), encoding="utf-8") as file:
        known = [line.split() for line in file if line.strip() and not line.startswith("#")]
    arrows, used = Arrows(text), set()
    faults = arrows.faults + check_includes(ROOT, arrows, used) + check_links(ROOT, arrows)
    faults += check_symbols(uses_between(*read_symbols(sys.argv[1])), arrows, known, used)
    faults += check_unused(arrows, used)
    faults += check_copy(arrows) + check_list(text, used) + check_made_up(arrows)
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
