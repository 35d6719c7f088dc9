"""What the tests of `vlrun extract` share."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE = 24  # of the pictures that the plans here ask for
BUILD = os.path.abspath(sys.argv[1])
VLC, VLRUN = os.path.join(BUILD, "frontend/vlc"), os.path.join(BUILD, "runtime/vlrun")


def run(*arguments, code=0, says=""):
    """Output of `vlrun extract`, which must end with `code` and say `says`."""
    result = subprocess.run([VLRUN, "extract", *arguments], capture_output=True, text=True,
                            timeout=300, check=False)
    heard = result.stdout + result.stderr
    if result.returncode != code or says not in heard:
        sys.exit(f"extract {arguments}: exit {result.returncode}, expected {code} and "
                 f"'{says}'; output:\n{heard}")
    return heard


def compile_plan(name, path, *sets):
    words = [word for constant in sets for word in ("--set", constant)]
    subprocess.run([VLC, "compile", os.path.join(HERE, name), "-o", path, *words], check=True)
