"""Which texts a keyword of a call may have, read from the source: `verb` of `record`, `kind` of `notify`.

Follows what is written in the same module: literals, either-or, f-strings, tables, names of modules and functions, and
the arguments with which a function of the module is called. What it cannot follow is told, never passed over.
"""

import ast
from itertools import product


class CannotTell(Exception):
    """An expression whose texts are not written in its module."""


class Module:
    def __init__(self, path):
        self.path = path
        self.tree = ast.parse(path.read_text())
        self.parents = {child: parent for parent in ast.walk(self.tree) for child in ast.iter_child_nodes(parent)}

    def calls(self, function):
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == function:
                yield node

    def function_of(self, node):
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef):
                return node
        return None

    def texts(self, node):
        """Every text that an expression may have."""
        follow = getattr(self, f"_in_{type(node).__name__.lower()}", None)
        if follow is None:
            raise CannotTell(ast.unparse(node))
        return follow(node)

    def _in_constant(self, node):
        return {node.value}

    def _in_ifexp(self, node):
        return self.texts(node.body) | self.texts(node.orelse)

    def _in_formattedvalue(self, node):
        return self.texts(node.value)

    def _in_joinedstr(self, node):
        return {"".join(map(str, chosen)) for chosen in product(*(self.texts(part) for part in node.values))}

    def _in_dict(self, node):
        return self._all(node.values)

    def _in_subscript(self, node):
        return self.texts(node.value)

    def _in_name(self, node):
        return self._named(node)

    def _in_call(self, node):
        """A table asked with a default, or a function of the module with what it returns."""
        if getattr(node.func, "attr", "") == "get":
            return self.texts(node.func.value) | self._all(node.args[1:])
        name = getattr(node.func, "id", "")
        functions = [each for each in ast.walk(self.tree) if isinstance(each, ast.FunctionDef) and each.name == name]
        answers = [each.value for function in functions for each in ast.walk(function) if isinstance(each, ast.Return)]
        if not answers:
            raise CannotTell(ast.unparse(node))
        return self._all(answers)

    def _all(self, nodes):
        return set().union(*(self.texts(node) for node in nodes))

    def _named(self, node):
        function = self.function_of(node)
        found = set()
        if function is not None:
            for made in self._assigned(function, node.id):
                found |= self.texts(made)
            found |= self._given(function, node.id)
        if not found:
            for made in self._assigned(self.tree, node.id, deep=False):
                found |= self.texts(made)
        if not found:
            raise CannotTell(node.id)
        return found

    def _assigned(self, scope, name, *, deep=True):
        """What a name is set to in a function or at the top of the module."""
        for node in ast.walk(scope) if deep else scope.body:
            for target, value in _settings(node):
                if getattr(target, "id", "") == name:
                    yield value

    def _given(self, function, name):
        """Texts that callers in this module give a parameter."""
        positional = [argument.arg for argument in function.args.args]
        if name not in positional + [argument.arg for argument in function.args.kwonlyargs]:
            return set()
        found = set()
        for call in self.calls(function.name):
            by_name = {keyword.arg: keyword.value for keyword in call.keywords}
            if name in by_name:
                found |= self.texts(by_name[name])
            elif name in positional and positional.index(name) < len(call.args):
                found |= self.texts(call.args[positional.index(name)])
        return found


def _settings(node):
    """Pairs of target and value of an assignment or a loop over rows that are written out; tuples in pairs."""
    if isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    elif isinstance(node, ast.AnnAssign) and node.value:
        pairs = [(node.target, node.value)]
    elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
        pairs = [(node.target, row) for row in node.iter.elts]
    else:
        pairs = []
    for target, value in pairs:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=True)
        else:
            yield target, value


def written(source, function, keyword):
    """(text, place) for every text of the keyword, and what could not be followed as (None, place)."""
    for path in sorted(source.rglob("*.py")):
        if f"{function}(" not in path.read_text():
            continue
        module = Module(path)
        for call in module.calls(function):
            given = next((pair.value for pair in call.keywords if pair.arg == keyword), None)
            if given is None:
                continue
            place = f"{path.relative_to(source)}:{call.lineno}"
            try:
                yield from ((text, place) for text in sorted(module.texts(given)))
            except CannotTell as error:
                yield None, f"{place} ({error})"
