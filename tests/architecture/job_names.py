"""Prints names that are enqueued and not registered, or not written as a literal; exits 1 where there are any."""

import ast
import sys
from pathlib import Path


def enqueued(source):
    """(file:line, name) for each call of `enqueue`; the name is None where it is not a literal."""
    for path in sorted(source.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "enqueue":
                first = node.args[0] if node.args else None
                yield f"{path}:{node.lineno}", first.value if isinstance(first, ast.Constant) else None


def registered():
    import django

    django.setup()
    from procrastinate.contrib.django import app

    app.perform_import_paths()
    return set(app.tasks)


def wrong_names(source):
    known = registered()
    return [
        f"{place}: {name or 'a name that is not written here'} is enqueued and not registered"
        for place, name in enqueued(source)
        if name not in known
    ]


if __name__ == "__main__":
    found = wrong_names(Path(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
