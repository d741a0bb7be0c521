"""Makes .venv from requirements.lock and this repository's packages; what `make install` calls.

Runs on the machine's own Python, so it uses the standard library only and a grammar that an old
Python can read: otherwise the sentence about its age would be a syntax error.
"""

# ruff: noqa: UP021, UP031, RUF005

import glob
import os
import re
import subprocess
import sys

NEEDED = (3, 11)
REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(REPOSITORY, ".venv")
LOCK = os.path.join(REPOSITORY, "requirements.lock")
PYTHON = os.path.join(VENV, "bin", "python")


def stop(sentence):
    sys.stderr.write("make install: " + sentence + "\n")
    sys.exit(1)


def main():
    refuse_old_python()
    make_venv()
    if not install_with_uv() and run([PYTHON, "-m", "pip", "install", "--require-hashes", "-r", LOCK]):
        stop("the packages of requirements.lock could not be installed; pip's own lines above say why.")
    editables = [part for package in packages() for part in ("-e", package)]
    offline = ["--no-deps", "--no-build-isolation", "--quiet"]
    if run([PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON] + offline + editables):
        stop("this repository's own packages could not be installed; the lines above say why.")


def refuse_old_python():
    if sys.version_info < NEEDED:
        found = "%d.%d" % sys.version_info[:2]
        stop(
            "Python 3.11 or newer is needed and %s is %s; name another: make PYTHON=python3.12"
            % (sys.executable, found)
        )


def make_venv():
    if os.path.exists(PYTHON) and run([PYTHON, "-m", "pip", "--version"], quiet=True) == 0:
        return
    print("Making .venv")
    if run([sys.executable, "-m", "venv", "--clear", VENV]):
        stop("%s cannot make an environment; install its venv module (Debian: python3-venv)." % sys.executable)


def install_with_uv():
    """The same lock file, in seconds instead of a minute; False leaves it to pip."""
    if pip_names_an_index():
        return False  # uv does not read pip's settings and would ask somebody else
    print("Installing the packages of requirements.lock")
    install = [PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "/dev/stdin"]
    if run(install, text=locked("uv")):
        return False
    environ = dict(os.environ)
    for ours, theirs in (("PIP_FIND_LINKS", "UV_FIND_LINKS"), ("PIP_CERT", "SSL_CERT_FILE")):
        if os.environ.get(ours):
            environ.setdefault(theirs, os.environ[ours])
    command = [PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, "--require-hashes", "-r", LOCK]
    if run(command, environ=environ):
        print("uv could not install them; trying pip")
        return False
    return True


def pip_names_an_index():
    listed = subprocess.run([PYTHON, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, universal_newlines=True)
    return bool(re.search(r"index[-_]url|no[-_]index", listed.stdout, re.IGNORECASE))


def locked(name):
    """The lines of one package in the lock file, with its hashes."""
    with open(LOCK) as file:
        found = re.search(r"^%s==(?:.*\\\n)*.*" % re.escape(name), file.read(), re.MULTILINE)
    return found.group(0) + "\n" if found else stop("requirements.lock does not name %s; run make lock." % name)


def packages():
    """Every package of this repository; contracts and chassis first for the reader's sake only."""
    parts = ("libs/*", "libs/*/tooling", "services/*", "tools", "tools/partner")
    files = [path for part in parts for path in sorted(glob.glob(part + "/pyproject.toml"))]
    return [os.path.dirname(path) for path in files]


def run(command, environ=None, text=None, quiet=False):
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, env=environ, input=text, universal_newlines=True, stdout=output, stderr=output)
    return done.returncode


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    main()
