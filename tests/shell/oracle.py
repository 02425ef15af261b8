"""Compare our shell trees with those of shfmt (PyPI shfmt-py), and what we accept with what dash and bash accept.

`python -m tests.shell.oracle DIR...` does it for every RUN of the Dockerfiles below the folders, and prints how many
are understood, why the others are not, and every disagreement.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixer.tree.cook import Cooked, cook, cook_heredoc, kept_pieces
from fixer.tree.nodes import Dockerfile, From, Heredoc, Instruction, Run, Shell, ShellForm
from fixer.tree.parse import parse
from fixer.tree.parse_shell import Dialect, parse_shell
from fixer.tree.shell import (
    AndOr,
    Arithmetic,
    ArithmeticCommand,
    Assignment,
    Braces,
    Case,
    Command,
    CommandSubstitution,
    For,
    Function,
    Group,
    If,
    Literal,
    Loop,
    OpaqueScript,
    Parameter,
    Part,
    Pipeline,
    Redirect,
    Script,
    ShellNode,
    Simple,
    Subshell,
    Test,
    Tilde,
    Uncertain,
    Word,
)

Shape = Any
"""Nested tuples; equal if two trees say the same."""


# --- the shape of our tree ------------------------------------------------------------------------------------------


def our_script(script: Script | OpaqueScript) -> Shape:
    assert isinstance(script, Script)
    out = []
    for item, separator in zip(script.items, script.separators, strict=True):
        mark = "&" if separator is not None and separator.text == "&" else ";"
        out.append((our_and_or(item), mark))
    return tuple(out)


def our_and_or(node: AndOr) -> Shape:
    return tuple(our_pipeline(p) for p in node.pipelines), tuple((o.text, o.start) for o in node.operators)


def our_pipeline(node: Pipeline) -> Shape:
    operators = tuple((o.text, o.start) for o in node.operators)
    return node.negated, node.timed, tuple(our_command(c) for c in node.commands), operators


def our_command(node: Command) -> Shape:
    redirects = tuple(our_redirect(r) for r in node.redirects)
    if isinstance(node, Simple):
        return "simple", tuple(map(our_assignment, node.assignments)), tuple(map(our_word, node.words)), redirects
    if isinstance(node, Subshell):
        return "subshell", our_script(node.body), redirects
    if isinstance(node, Group):
        return "group", our_script(node.body), redirects
    if isinstance(node, If):
        other = None if node.otherwise is None else our_script(node.otherwise)
        return "if", tuple(map(our_script, node.conditions)), tuple(map(our_script, node.branches)), other, redirects
    if isinstance(node, Loop):
        return node.keyword, our_script(node.condition), our_script(node.body), redirects
    if isinstance(node, For):
        words = None if node.words is None else tuple(map(our_word, node.words))
        return node.keyword, node.name, words, our_expansions(node.parts), our_script(node.body), redirects
    if isinstance(node, Case):
        items = tuple(
            (
                tuple(map(our_word, item.patterns)),
                our_script(item.body),
                ";;" if item.terminator is None else item.terminator.text,
            )
            for item in node.items
        )
        return "case", our_word(node.subject), items, redirects
    if isinstance(node, Function):
        return "function", node.name, our_command(node.body), redirects
    if isinstance(node, Test):
        parts = [part for word in node.words for part in word.parts]
        return "test", our_expansions(tuple(parts)), redirects
    assert isinstance(node, ArithmeticCommand)
    return "arithmetic", our_expansions(node.parts), redirects


def our_assignment(node: Assignment) -> Shape:
    name = node.name.partition("[")[0]
    if node.array:
        return name, node.append, tuple((w.start, w.end, our_expansions(w.parts)) for w in node.values)
    return name, node.append, our_word(node.values[0]) if node.values[0].text else None


def our_redirect(node: Redirect) -> Shape:
    body = None if node.body is None else (node.body, our_expansions(node.body_parts))
    return node.fd, node.op, our_word(node.target), body


def our_word(node: Word) -> Shape:
    return node.start, node.end, our_value(node), our_expansions(node.parts)


class Anything:
    """Equal to whatever the other side says."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def our_value(node: Word) -> str | Anything | None:
    """The word's characters without quotes, or None if it holds an expansion. Globs, tildes and braces as written."""
    out = []
    if any(isinstance(part, Uncertain) for part in node.parts):
        return Anything()
    for part in node.parts:
        if isinstance(part, Literal):
            out.append(part.value)
        elif isinstance(part, Tilde):
            out.append("~" + part.user)
        elif isinstance(part, Braces) and re.search(r"""["'\\]""", part.text):
            return Anything()
        elif isinstance(part, Braces) and not part.parts:
            out.append(part.text)
        else:
            return None
    return "".join(out)


def our_expansions(parts: tuple[Part, ...]) -> Shape:
    out: list[Shape] = []
    for part in parts:
        if isinstance(part, Parameter):
            out.append(("parameter", part.start, part.end, part.name, our_expansions(part.parts)))
        elif isinstance(part, CommandSubstitution):
            out.append((part.kind, part.start, part.end, our_script(part.script)))
        elif isinstance(part, Arithmetic):
            out.append(("arithmetic", part.start, part.end, our_expansions(part.parts)))
        elif isinstance(part, Braces):
            out.extend(our_expansions(part.parts))
    return tuple(out)


# --- the shape of shfmt's tree ----------------------------------------------------------------------------------------


class Shfmt:
    """Reads the JSON of `shfmt -tojson`, whose offsets count bytes."""

    def __init__(self, text: str, tree: dict[str, Any]) -> None:
        self.text = text
        self.tree = tree
        self.at: list[int] | None = None
        if not text.isascii():
            self.at = []
            for i, c in enumerate(text):
                self.at.extend([i] * len(c.encode("utf-8", "surrogateescape")))
            self.at.append(len(text))

    def shape(self) -> Shape:
        return self.script(self.tree.get("Stmts"))

    def offset(self, position: dict[str, int]) -> int:
        raw = position["Offset"]
        return raw if self.at is None else self.at[raw]

    def script(self, statements: list[dict[str, Any]] | None) -> Shape:
        found = [self.hoisted(s) for s in statements or ()]
        return tuple((self.and_or(s), "&" if s.get("Background") else ";") for s in found)

    def hoisted(self, statement: dict[str, Any]) -> dict[str, Any]:
        """shfmt takes `f() { a; } && b` for a function with the body `{ a; } && b`. dash and bash run `b`."""
        command = statement.get("Cmd")
        if command is None:
            return statement
        if command["Type"] == "BinaryCmd":
            right = self.hoisted(command["Y"])
            left = self.hoisted(command["X"])
            return {**statement, "Cmd": {**command, "X": left, "Y": right}}
        body = command.get("Body", {}) if command["Type"] == "FuncDecl" else {}
        if body.get("Cmd", {}).get("Type") != "BinaryCmd":
            return statement
        chain = []
        leaf = body
        while leaf["Cmd"]["Type"] == "BinaryCmd":
            chain.append(leaf)
            leaf = leaf["Cmd"]["X"]
        joined = {**statement, "Cmd": {**command, "Body": leaf}}
        for link in reversed(chain):
            joined = {**link, "Cmd": {**link["Cmd"], "X": joined}}
        return joined

    def and_or(self, statement: dict[str, Any]) -> Shape:
        pipelines, operators = self.flat(statement, ("&&", "||"))
        return tuple(self.pipeline(p) for p in pipelines), operators

    def flat(self, statement: dict[str, Any], wanted: tuple[str, ...]) -> tuple[list[dict[str, Any]], Shape]:
        operators: list[Shape] = []
        leaves: list[dict[str, Any]] = []
        stack: list[Any] = [statement]
        while stack:
            item = stack.pop()
            if isinstance(item, tuple):
                operators.append(item)
                continue
            command = item.get("Cmd")
            if command is not None and command["Type"] == "BinaryCmd" and command["Op"] in wanted:
                stack += [command["Y"], (command["Op"], self.offset(command["OpPos"])), command["X"]]
            else:
                leaves.append(item)
        return leaves, tuple(operators)

    def pipeline(self, statement: dict[str, Any]) -> Shape:
        negated, timed = bool(statement.get("Negated")), False
        while (command := statement.get("Cmd")) and command["Type"] == "TimeClause":
            timed = True
            statement = command.get("Stmt", {})
            negated = negated or bool(statement.get("Negated"))
        commands, operators = self.flat(statement, ("|", "|&"))
        return negated, timed, tuple(self.command(c) for c in commands), operators

    def command(self, statement: dict[str, Any]) -> Shape:
        redirects = tuple(self.redirect(r) for r in statement.get("Redirs") or ())
        command = statement.get("Cmd")
        if command is None:
            return "simple", (), (), redirects
        kind = command["Type"]
        if kind == "CallExpr":
            assigns = tuple(self.assignment(a) for a in command.get("Assigns") or ())
            return "simple", assigns, tuple(self.word(w) for w in command.get("Args") or ()), redirects
        if kind == "DeclClause":
            first = command["Variant"]
            start, end = self.offset(first["Pos"]), self.offset(first["End"])
            words = [(start, end, first["Value"], ())]
            words.extend(self.declared(a) for a in command.get("Args") or ())
            return "simple", (), tuple(words), redirects
        if kind == "Subshell":
            return "subshell", self.script(command.get("Stmts")), redirects
        if kind == "Block":
            return "group", self.script(command.get("Stmts")), redirects
        if kind == "IfClause":
            return self.if_clause(command, redirects)
        if kind == "WhileClause":
            keyword = "until" if command.get("Until") else "while"
            return keyword, self.script(command["Cond"]), self.script(command["Do"]), redirects
        if kind == "ForClause":
            return self.for_clause(command, redirects)
        if kind == "CaseClause":
            items = tuple(
                (tuple(self.word(p) for p in item["Patterns"]), self.script(item.get("Stmts")), item["Op"])
                for item in command.get("Items") or ()
            )
            return "case", self.word(command["Word"]), items, redirects
        if kind == "FuncDecl":
            return "function", command["Name"]["Value"], self.command(command["Body"]), redirects
        if kind == "TestClause":
            return "test", self.expansions(command["X"]), redirects
        if kind == "ArithmCmd":
            return "arithmetic", self.expansions(command.get("X")), redirects
        return kind, redirects

    def if_clause(self, command: dict[str, Any], redirects: Shape) -> Shape:
        conditions, branches, other = [], [], None
        clause: dict[str, Any] | None = command
        while clause is not None:
            if clause.get("Cond"):
                conditions.append(self.script(clause["Cond"]))
                branches.append(self.script(clause["Then"]))
            else:
                other = self.script(clause["Then"])
            clause = clause.get("Else")
        return "if", tuple(conditions), tuple(branches), other, redirects

    def for_clause(self, command: dict[str, Any], redirects: Shape) -> Shape:
        keyword = "select" if command.get("Select") else "for"
        loop = command["Loop"]
        body = self.script(command["Do"])
        if loop["Type"] == "CStyleLoop":
            return keyword, "", None, self.expansions(loop), body, redirects
        words = None
        if loop.get("InPos"):
            words = tuple(self.word(w) for w in loop.get("Items") or ())
        return keyword, loop["Name"]["Value"], words, (), body, redirects

    def assignment(self, assign: dict[str, Any]) -> Shape:
        name, append = assign["Name"]["Value"], bool(assign.get("Append"))
        array = assign.get("Array")
        if array is not None:
            elements = tuple(
                (self.offset(e["Pos"]), self.offset(e["End"]), self.expansions(e)) for e in array.get("Elems") or ()
            )
            return name, append, elements
        return name, append, self.word(assign["Value"]) if assign.get("Value") else None

    def declared(self, assign: dict[str, Any]) -> Shape:
        start, end = self.offset(assign["Pos"]), self.offset(assign["End"])
        if assign.get("Name") is None:
            return self.word(assign["Value"])
        text = assign["Name"]["Value"]
        if assign.get("Naked"):
            return start, end, text, ()
        value: str | None = ""
        if assign.get("Value"):
            value = self.value(assign["Value"]["Parts"])
        text += "+=" if assign.get("Append") else "="
        return start, end, None if value is None else text + value, self.expansions(assign)

    def redirect(self, node: dict[str, Any]) -> Shape:
        body = None
        if node["Op"] in ("<<", "<<-"):
            body = self.heredoc(node)
        return node.get("N", {}).get("Value", ""), node["Op"], self.word(node["Word"]), body

    def heredoc(self, node: dict[str, Any]) -> Shape:
        parts = node.get("Hdoc")
        if parts is None:
            return "", ()
        start, end = self.offset(parts["Pos"]), self.offset(parts["End"])
        body = self.text[start:end]
        last = body.rfind("\n") + 1
        if body[last:] and body[last:].lstrip("\t") == self.value(node["Word"].get("Parts") or ()):
            # shfmt sometimes counts the delimiter in
            body = body[:last]
        return body, self.expansions(parts)

    def word(self, word: dict[str, Any]) -> Shape:
        start, end = self.offset(word["Pos"]), self.offset(word["End"])
        while self.text.startswith("\\\n", end - 2):
            # shfmt counts a line continuation after the word in
            end -= 2
        while self.text.startswith("\\`", end - 1):
            # … and the backslashes of an escaped backquote
            end -= 1
        return start, end, self.value(word.get("Parts") or ()), self.expansions(word)

    def value(self, parts: list[dict[str, Any]], quoted: bool = False) -> str | None:
        out = []
        for part in parts:
            kind = part["Type"]
            if kind == "Lit":
                escapes = r'\\([$`"\\\n])' if quoted else r"\\(.|\n|\Z)"
                out.append(re.sub(escapes, lambda m: "" if m[1] == "\n" else m[1] or "\\", part["Value"]))
            elif kind == "SglQuoted":
                value = part.get("Value", "")
                out.append(ansi(value) if part.get("Dollar") else value)
            elif kind == "DblQuoted":
                inner = self.value(part.get("Parts") or [], quoted=True)
                if inner is None:
                    return None
                out.append(inner)
            elif kind == "ExtGlob":
                out.append(part["Op"] + part["Pattern"]["Value"] + ")")
            else:
                return None
        return "".join(out)

    def expansions(self, node: Any) -> Shape:
        """All expansions below a node, in the order of the text."""
        found: list[tuple[int, Shape]] = []
        stack = [node]
        while stack:
            node = stack.pop()
            if isinstance(node, list):
                stack.extend(node)
                continue
            if not isinstance(node, dict):
                continue
            kind = node.get("Type")
            if kind in ("ParamExp", "CmdSubst", "ProcSubst", "ArithmExp"):
                start, end = self.offset(node["Pos"]), self.offset(node["End"])
                found.append((start, self.expansion(kind, start, end, node)))
                continue
            stack.extend(node.values())
        return tuple(shape for _, shape in sorted(found, key=lambda pair: pair[0]))

    def expansion(self, kind: str, start: int, end: int, node: dict[str, Any]) -> Shape:
        if kind == "CmdSubst":
            return "`" if node.get("Backquotes") else "$", start, end, self.script(node.get("Stmts"))
        if kind == "ProcSubst":
            return node["Op"][0], start, end, self.script(node.get("Stmts"))
        inner = {key: value for key, value in node.items() if key != "Type"}
        if kind == "ArithmExp":
            return "arithmetic", start, end, self.expansions(inner)
        return "parameter", start, end, node["Param"]["Value"], self.expansions(inner)


def ansi(value: str) -> str:
    """The value of `$'…'`, of which only plain escapes are compared."""
    known = dict(zip("ntrabfveE", "\n\t\r\a\b\f\v\x1b\x1b", strict=True))
    return re.sub(r"\\(.)", lambda m: known.get(m[1], m[1]), value, flags=re.S)


# --- running the others -----------------------------------------------------------------------------------------------


def shfmt_program() -> str:
    """The shfmt beside this Python, or the one on the path."""
    beside = Path(sys.executable).parent / "shfmt"
    return str(beside) if beside.exists() else "shfmt"


def shfmt_shape(text: str, language: str = "bash") -> Shape | str:
    """The shape of shfmt's tree, or what it complains about.

    Carriage returns are hidden from it: it drops them, and shells do not.
    """
    shown = text.replace("\r", "\x01")
    done = subprocess.run(
        [shfmt_program(), "-ln", language, "-tojson"],
        input=shown.encode("utf-8", "surrogateescape"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        return done.stderr.decode("utf-8", "replace").strip()
    return Shfmt(shown, json.loads(done.stdout)).shape()


def accepts(shell: str, text: str) -> bool:
    """True if `shell -n` takes the script."""
    if "\0" in text or len(text) > 100_000:
        return True
    argument = os.fsencode(text) if text.isascii() else text.encode("utf-8", "surrogateescape")
    command = [shell.encode(), b"-n", b"-c", b"--", argument]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env={"PATH": os.defpath})
    return done.returncode == 0 and not done.stderr.strip()


def difference(ours: Shape, theirs: Shape, path: str = "") -> str:
    """Where two shapes part."""
    if ours == theirs:
        return ""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        for i, (a, b) in enumerate(zip(ours, theirs, strict=False)):
            if a != b:
                return difference(a, b, f"{path}.{i}")
        return f"{path}: {len(ours)} and {len(theirs)}: {ours!r:.300} and {theirs!r:.300}"
    return f"{path}: {ours!r:.300} and {theirs!r:.300}"


def static_words(texts: list[str], dialect: Dialect) -> dict[str, str]:
    """The words of some scripts that always have one value, and that value. Words that are not at the top of a script
    (their text may be escaped once more) are left out, and so is a backslash at the very end of a script."""
    found: dict[str, str] = {}
    for text in texts:
        tree = parse_shell(plain(text), 0, dialect)
        if isinstance(tree, OpaqueScript) or "`" in text:
            continue
        for node in tree.walk():
            if isinstance(node, Simple):
                found.update((w.text, w.static) for w in node.words if w.static is not None)
    return {text: value for text, value in found.items() if "\0" not in text and text[-1] != "\\"}


def values_in(shell: str, words: dict[str, str]) -> list[str]:
    """What the shell makes of the words."""
    out: list[str] = []
    texts = list(words)
    for at in range(0, len(texts), 100):
        script = "printf '%s\\0' " + " ".join(texts[at : at + 100])
        argument = script.encode("utf-8", "surrogateescape")
        done = subprocess.run([shell.encode(), b"-c", argument], capture_output=True, timeout=60, check=True)
        out += done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return out


@dataclass(frozen=True)
class Verdict:
    """What came out for one script. `problem` is empty if nobody disagrees."""

    understood: bool
    reason: str
    problem: str
    gap: bool = False
    """Not understood, though the shell accepts it."""


def plain(text: str) -> Cooked:
    """A text that Docker changes nothing in."""
    return Cooked(text, [(0, len(text))])


def check(text: str, dialect: Dialect) -> Verdict:
    """Parse `text` and compare."""
    tree = parse_shell(plain(text), 0, dialect)
    if isinstance(tree, OpaqueScript):
        return Verdict(False, tree.why, "", gap=accepts("bash" if dialect == "bash" else "dash", text))
    problem = invariants(tree, text)
    if problem:
        return Verdict(True, "", problem)
    if not accepts("bash", text) and not (dialect == "sh" and accepts("dash", text)):
        return Verdict(True, "", "neither bash nor dash accepts it")
    if dialect == "sh":
        theirs = shfmt_shape(text, "posix")
        if isinstance(theirs, str):
            theirs = shfmt_shape(text, "bash")
    else:
        theirs = shfmt_shape(text, "bash")
    if isinstance(theirs, str) and '""#' in text:
        # shfmt takes a "#" right after quotes inside $(…) for a comment
        return Verdict(True, "", "")
    if isinstance(theirs, str):
        return Verdict(True, "", f"shfmt refuses: {theirs}")
    ours = our_script(parse_shell(plain(text.replace("\r", "\x01")), 0, dialect))
    return Verdict(True, "", difference(ours, theirs))


def invariants(tree: ShellNode, text: str) -> str:
    """What is wrong with the positions of a tree, or nothing."""
    for node in tree.walk():
        if not 0 <= node.start <= node.end <= len(text):
            return f"span {node.span} of {node!r:.80}"
        at = node.start
        for child in node.children:
            if isinstance(node, Redirect) and child is not node.target:
                continue
            if child.start < at or child.end > node.end:
                return f"{child!r:.100} is out of order in {node!r:.100}"
            at = child.end
    return ""


# --- real Dockerfiles -------------------------------------------------------------------------------------------------


def dockerfiles(folders: list[str]) -> Iterator[Path]:
    for folder in folders:
        for root, _, names in sorted(os.walk(folder)):
            yield from (Path(root, name) for name in sorted(names) if not name.endswith(".tsv"))


_ONE_HEREDOC = re.compile(r"""[0-9]*<<-?(?:[^<\s"']|"[^"<]*"|'[^'<]*')+""")
"""`<<EOF` and nothing else (parser.ParseHeredoc, v0.25)."""


def shell_text(file: Dockerfile[Any], instruction: Instruction) -> tuple[Cooked, int] | None:
    """What a shell reads of an instruction in shell form, and the offset in the file of the raw text behind it: ready
    for `parse_shell`. None for the exec form, and without any form.

    A RUN whose whole command is one here-document hands its body to the shell; a body that begins with `#!` is run by
    that program instead, which is for the caller to see. A command with other here-documents reaches the shell with
    them (dockerfile2llb/convert.go, dispatchRun, v0.25).
    """
    form = getattr(instruction, "form", None)
    if not isinstance(form, ShellForm):
        return None
    script = form.script
    heredocs: tuple[Heredoc, ...] = getattr(instruction, "heredocs", ())
    if not heredocs:
        return cook(script.text, file.escape), script.start
    if _ONE_HEREDOC.fullmatch(script.value.strip()):
        body = heredocs[0].body
        return cook_heredoc(body.text, heredocs[0].chomp), body.span.start
    start, end = script.span
    pieces = kept_pieces(file.text, start, end, file.escape)
    for heredoc in heredocs:
        first, last = heredoc.body.span.start, heredoc.terminator.span.end
        pieces += [(first - 1, last)]
    raw = file.text[start : pieces[-1][1]]
    return Cooked(raw, [(first - start, last - start) for first, last in pieces]), start


_WINDOWS = re.compile(r"windows|nanoserver|servercore", re.I)


def scripts(file: Dockerfile[Any]) -> Iterator[tuple[str, Dialect | None]]:
    """What shells read in RUNs, and the dialect (None: not a POSIX shell)."""
    dialect: Dialect | None = "sh"
    for instruction in file.instructions:
        if isinstance(instruction, From):
            dialect = None if _WINDOWS.search(instruction.image.value) else "sh"
        elif isinstance(instruction, Shell):
            name = re.split(r"[/\\]", instruction.form.values[0])[-1].lower() if instruction.form.values else ""
            dialect = "bash" if name == "bash" else "sh" if name in ("sh", "ash", "dash") else None
        elif isinstance(instruction, Run):
            found = shell_text(file, instruction)
            if found is None:
                continue
            text = found[0].text
            used = dialect
            if text.startswith("#!"):
                program = re.split(r"[/ ]", text.partition("\n")[0].strip())
                used = "bash" if "bash" in program else "sh" if "sh" in program else None
            yield text, used


def main(folders: list[str]) -> int:
    files = opaque = 0
    runs: Counter[tuple[str, Dialect | None]] = Counter()
    for path in dockerfiles(folders):
        files += 1
        for text, dialect in scripts(parse(path.read_bytes())):
            runs[text, dialect] += 1
    foreign = sum(count for (_, dialect), count in runs.items() if dialect is None)
    todo = [(text, dialect) for text, dialect in runs if dialect is not None]
    reasons: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    total = understood = compared = 0
    gaps: Counter[str] = Counter()
    with ThreadPoolExecutor(4) as pool:
        for (text, dialect), verdict in zip(todo, pool.map(lambda job: check(*job), todo), strict=True):
            count = runs[text, dialect]
            total += count
            if not verdict.understood:
                opaque += count
                reasons[verdict.reason] += count
                if verdict.gap:
                    gaps[verdict.reason] += count
                examples.setdefault(("gap " if verdict.gap else "") + verdict.reason, []).append(text)
                continue
            understood += count
            compared += 1
            if verdict.problem:
                print(f"--- {dialect}: {verdict.problem}\n{text:.600}\n")
    print(f"{files} files, {total + foreign} RUNs, {foreign} for other shells")
    print(f"{understood} of {total} understood ({understood / max(1, total):.2%}), {compared} different ones compared")
    for reason, count in reasons.most_common():
        print(f"  {reason}: {count}, of which the shell accepts {gaps[reason]}")
    for reason, texts in sorted(examples.items()):
        for text in texts[:8] if os.environ.get("EXAMPLES") else ():
            print(f"=== {reason}: {text!r:.400}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
