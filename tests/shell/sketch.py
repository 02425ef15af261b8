"""A shell tree as a short line, so that tests can say by hand what they expect.

    a b            a simple command                 x:=1  x+:=1  x:=(1 2)   assignments
    «a»            quoted characters                <x>  <x:-y>  <"x">      parameters, the last one quoted
    <$ a> <` a>    command substitutions            <((1+2))>  <~>  <~u>    arithmetic, tildes
    <{a,b}>        braces                           <?…>                    a value that shells disagree on
    *[a*]          a literal with a glob            {2>:f}  {<<:E|body}     redirections
    a ; b & c / d  lists; "/" is a newline          ( a )  { a ; }          subshell and group
"""

from __future__ import annotations

from fixer.tree.shell import (
    AndOr,
    Arithmetic,
    ArithmeticCommand,
    Assignment,
    Braces,
    Case,
    CaseItem,
    CommandSubstitution,
    For,
    Function,
    Group,
    If,
    Literal,
    Loop,
    OpaqueScript,
    Parameter,
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


def sketch(node: ShellNode) -> str:
    """The line for a node."""
    return _SKETCHES[type(node)](node)


def _list(nodes: object) -> str:
    assert isinstance(nodes, tuple)
    return " ".join(map(sketch, nodes))


def _literal(node: Literal) -> str:
    if node.quoted:
        return f"«{node.value}»"
    return f"*[{node.value}]" if node.glob else node.value


def _parameter(node: Parameter) -> str:
    body = f"{node.name}{' ' if node.op.isalpha() else ''}{node.op}{node.argument}"
    return f'<"{body}">' if node.quoted else f"<{body}>"


def _substitution(node: CommandSubstitution) -> str:
    body = f"{node.kind} {sketch(node.script)}"
    return f'<"{body}">' if node.quoted else f"<{body}>"


def _assignment(node: Assignment) -> str:
    value = f"({_list(node.values)})" if node.array else sketch(node.values[0])
    return f"{node.name}{'+' if node.append else ''}:={value}"


def _redirect(node: Redirect) -> str:
    body = "" if node.body is None else "|" + node.body.replace("\n", "/")
    return f"{{{node.fd}{node.op}:{sketch(node.target)}{body}}}"


def _with_redirects(text: str, redirects: tuple[Redirect, ...]) -> str:
    return " ".join([text, *map(sketch, redirects)]) if text else _list(redirects)


def _simple(node: Simple) -> str:
    return _with_redirects(" ".join(map(sketch, (*node.assignments, *node.words))), node.redirects)


def _if(node: If) -> str:
    text = "".join(f"if[{sketch(c)}]then[{sketch(b)}]" for c, b in zip(node.conditions, node.branches, strict=True))
    if node.otherwise is not None:
        text += f"else[{sketch(node.otherwise)}]"
    return _with_redirects(text, node.redirects)


def _for(node: For) -> str:
    head = node.name if node.words is None else f"{node.name} in {_list(node.words)}".rstrip()
    return _with_redirects(f"{node.keyword}({head})do[{sketch(node.body)}]", node.redirects)


def _item(node: CaseItem) -> str:
    end = "" if node.terminator is None else node.terminator.text
    return f"[{','.join(map(sketch, node.patterns))}: {sketch(node.body)}{end}]"


def _pipeline(node: Pipeline) -> str:
    text = sketch(node.commands[0])
    for operator, command in zip(node.operators, node.commands[1:], strict=True):
        text += f" {operator.text} {sketch(command)}"
    return ("! " if node.negated else "") + ("time " if node.timed else "") + text


def _and_or(node: AndOr) -> str:
    text = sketch(node.pipelines[0])
    for operator, pipeline in zip(node.operators, node.pipelines[1:], strict=True):
        text += f" {operator.text} {sketch(pipeline)}"
    return text


def _script(node: Script) -> str:
    out = []
    for item, separator in zip(node.items, node.separators, strict=True):
        out.append(sketch(item))
        if separator is not None:
            out.append("/" if separator.text == "\n" else separator.text)
    return " ".join(out)


_SKETCHES = {
    Literal: _literal,
    Parameter: _parameter,
    CommandSubstitution: _substitution,
    Arithmetic: lambda n: f"<(({n.text}))>",
    Tilde: lambda n: f"<~{n.user}>",
    Braces: lambda n: f"<{n.text}>",
    Uncertain: lambda n: f"<?{n.text}>",
    Word: lambda n: "".join(map(sketch, n.parts)),
    Assignment: _assignment,
    Redirect: _redirect,
    Simple: _simple,
    Subshell: lambda n: _with_redirects(f"( {sketch(n.body)} )", n.redirects),
    Group: lambda n: _with_redirects(f"{{ {sketch(n.body)} }}", n.redirects),
    If: _if,
    Loop: lambda n: _with_redirects(f"{n.keyword}[{sketch(n.condition)}]do[{sketch(n.body)}]", n.redirects),
    For: _for,
    CaseItem: _item,
    Case: lambda n: _with_redirects(f"case({sketch(n.subject)}){_list(n.items)}", n.redirects),
    Function: lambda n: f"function {n.name} {sketch(n.body)}",
    Test: lambda n: _with_redirects(f"test({_list(n.words)})", n.redirects),
    ArithmeticCommand: lambda n: _with_redirects(f"arithmetic({n.text})", n.redirects),
    Pipeline: _pipeline,
    AndOr: _and_or,
    Script: _script,
    OpaqueScript: lambda n: f"OPAQUE {n.why}",
}
