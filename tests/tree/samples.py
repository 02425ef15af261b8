"""Own Dockerfiles, each about one thing, with the tree that it must become (written by hand, `shapes.shape`)."""

from __future__ import annotations

from typing import NamedTuple


class Sample(NamedTuple):
    name: str
    text: str
    shape: list[str]


SAMPLES = [
    # --- lines ---------------------------------------------------------------------------------------------------
    Sample("empty", "", []),
    Sample("only-blanks", " \t\n\n", []),
    Sample("no-final-newline", "FROM a", ["1:1 From 'a'"]),
    Sample("crlf", "FROM a\r\nRUN b\r\n", ["1:1 From 'a'", "2:1 Run sh 'b'"]),
    Sample(
        "mixed-line-ends", "FROM a\r\nRUN b \\\r\n c\nRUN d\n", ["1:1 From 'a'", "2:1 Run sh 'b  c'", "4:1 Run sh 'd'"]
    ),
    Sample("two-carriage-returns", "FROM a\r\r\n", ["1:1 From 'a'"]),
    Sample("lone-carriage-return-ends-no-line", "RUN a\rRUN b\n", ["1:1 Run sh 'a\\rRUN b'"]),
    Sample("bom", "\ufeffFROM a\n", ["1:2 From 'a'"]),
    Sample("bom-twice", "\ufeff\ufeffFROM a\n", ["1:2 Opaque(unknown-instruction) '\\ufeffFROM a'"]),
    Sample("indented-instruction", "  \tFROM a\n", ["1:4 From 'a'"]),
    Sample("lower-case", "from a as b\nrun c\n", ["1:1 From 'a' 'as' 'b'", "2:1 Run sh 'c'"]),
    Sample("tab-after-keyword", "RUN\techo\n", ["1:1 Run sh 'echo'"]),
    Sample("vertical-tab-after-keyword", "RUN\v\fecho\n", ["1:1 Run sh 'echo'"]),
    Sample("no-break-space-is-part-of-the-keyword", "RUN\u00a0x\n", ["1:1 Opaque(unknown-instruction) 'RUN\\xa0x'"]),
    Sample("no-break-space-around-arguments-goes", "RUN \u00a0x\u00a0\n", ["1:1 Run sh 'x'"]),
    Sample("file-separator-is-no-blank", "\x1cRUN x\n", ["1:1 Opaque(unknown-instruction) '\\x1cRUN x'"]),
    Sample("trailing-blanks", "RUN a \t \n", ["1:1 Run sh 'a'"]),
    Sample(
        "unknown",
        "FROM a\nRUNN x\nRUN y\n",
        ["1:1 From 'a'", "2:1 Opaque(unknown-instruction) 'RUNN x'", "3:1 Run sh 'y'"],
    ),
    Sample("nul", "RUN a\0b\n", ["1:1 Run sh 'a\\x00b'"]),
    # --- comments and directives ---------------------------------------------------------------------------------
    Sample("comment", "# a \n  #b\n", ["1:1 Comment '# a'", "2:3 Comment '#b'"]),
    Sample("comment-does-not-continue", "# a \\\nRUN b\n", ["1:1 Comment '# a \\\\'", "2:1 Run sh 'b'"]),
    Sample("inline-comment-is-the-shell's", "RUN a # b\n", ["1:1 Run sh 'a # b'"]),
    Sample(
        "directives",
        "# syntax=docker/dockerfile:1\n#ESCAPE = `\n# check=skip=all\nRUN a `\n b\n",
        [
            "1:1 Directive syntax 'docker/dockerfile:1'",
            "2:1 Directive ESCAPE '`'",
            "3:1 Directive check 'skip=all'",
            "4:1 Run sh 'a  b'",
        ],
    ),
    Sample(
        "directive-after-comment",
        "# a\n# escape=`\nRUN b`\nc\n",
        ["1:1 Comment '# a'", "2:1 Comment '# escape=`'", "3:1 Run sh 'b`'", "4:1 Opaque(unknown-instruction) 'c'"],
    ),
    Sample("directive-after-blank", "\n# escape=`\nRUN b \\\nc\n", ["2:1 Comment '# escape=`'", "3:1 Run sh 'b c'"]),
    Sample("directive-after-unknown-one", "# a=b\n# escape=`\n", ["1:1 Comment '# a=b'", "2:1 Comment '# escape=`'"]),
    Sample("indented-escape-counts", "  # escape=`\nRUN a`\n", ["1:3 Directive escape '`'", "2:1 Run sh 'a'"]),
    Sample(
        "indented-syntax-does-not",
        " # syntax=x\n# escape=`\n# syntax=y\n",
        ["1:2 Comment '# syntax=x'", "2:1 Directive escape '`'", "3:1 Opaque(directive-duplicate) '# syntax=y'"],
    ),
    Sample(
        "shebang",
        "#!/usr/bin/env x\n# syntax=y\n# escape=`\n# check=z\nRUN a \\\nb\n",
        [
            "1:1 Comment '#!/usr/bin/env x'",
            "2:1 Directive syntax 'y'",
            "3:1 Comment '# escape=`'",
            "4:1 Directive check 'z'",
            "5:1 Run sh 'a b'",
        ],
    ),
    Sample(
        "directive-twice",
        "# escape=`\n# escape=\\\nRUN a`\nb\n",
        ["1:1 Directive escape '`'", "2:1 Opaque(directive-duplicate) '# escape=\\\\'", "3:1 Run sh 'ab'"],
    ),
    Sample("escape-must-be-one-of-two", "# escape=x\n", ["1:1 Opaque(directive-escape) '# escape=x'"]),
    Sample("escape-of-blanks", "# escape=  \n", ["1:1 Opaque(directive-escape) '# escape=  '"]),
    Sample("bom-then-directive", "\ufeff# escape=`\nRUN a`\n b\n", ["1:2 Directive escape '`'", "2:1 Run sh 'a b'"]),
    Sample("directive-without-newline", "# escape=`", ["1:1 Directive escape '`'"]),
    # --- continuations -------------------------------------------------------------------------------------------
    Sample("continuation-adds-nothing", "RUN a\\\nb\n", ["1:1 Run sh 'ab'"]),
    Sample("blanks-after-the-escape", "RUN a \\ \t\n  b\n", ["1:1 Run sh 'a   b'"]),
    Sample("escape-then-carriage-return-and-blank", "RUN a \\\r \nRUN b\n", ["1:1 Run sh 'a \\\\'", "2:1 Run sh 'b'"]),
    Sample("two-escapes-do-not-continue", "RUN a \\\\\nRUN b\n", ["1:1 Run sh 'a \\\\\\\\'", "2:1 Run sh 'b'"]),
    Sample("three-escapes-do-not-either", "RUN a \\\\\\\nRUN b\n", ["1:1 Run sh 'a \\\\\\\\\\\\'", "2:1 Run sh 'b'"]),
    Sample("comment-in-a-continuation", "RUN a \\\n  # no \\\n  && b\n", ["1:1 Run sh 'a   && b'"]),
    Sample("comment-in-quotes-goes-too", "RUN 'a \\\n# b\nc'\n", ["1:1 Run sh \"'a c'\""]),
    Sample("blank-line-in-a-continuation", "RUN a \\\n\n \t\nRUN b\n", ["1:1 Run sh 'a RUN b'"]),
    Sample("escape-alone-first", "\\\nFROM a\n", ["2:1 From 'a'"]),
    Sample("escape-alone-first-then-indent", " \\\n\n  FROM a\n", ["3:3 From 'a'"]),
    Sample("keyword-cut-in-two", "FR\\\nOM a\n", ["1:1 From 'a'"]),
    Sample("escape-at-the-end-of-the-file", "RUN a \\", ["1:1 Run sh 'a'"]),
    Sample("escape-and-newline-at-the-end", "RUN a \\\n", ["1:1 Run sh 'a'"]),
    Sample("escape-comment-end", "RUN a \\\n# b\n", ["1:1 Run sh 'a'"]),
    Sample("nothing-but-an-escape", "FROM a\n\\\n", ["1:1 From 'a'", "2:1 Opaque(unknown-instruction) '\\\\'"]),
    Sample(
        "backtick",
        "# escape=`\nRUN a \\\nRUN b ``\nRUN c `\n  d\n",
        ["1:1 Directive escape '`'", "2:1 Run sh 'a \\\\'", "3:1 Run sh 'b ``'", "4:1 Run sh 'c   d'"],
    ),
    Sample("backtick-path", "# escape=`\nCOPY a C:\\\n", ["1:1 Directive escape '`'", "2:1 Copy 'a' 'C:\\\\'"]),
    # --- FROM ----------------------------------------------------------------------------------------------------
    Sample(
        "from",
        "FROM --platform=$BUILDPLATFORM rust:1 AS Build-1.x_y\n",
        ["1:1 From --platform=$BUILDPLATFORM 'rust:1' 'AS' 'Build-1.x_y'"],
    ),
    Sample("from-two-words", "FROM a b\nRUN c\n", ["1:1 Opaque(from-arguments) 'FROM a b'", "2:1 Run sh 'c'"]),
    Sample("from-four-words", "FROM a AS b c\n", ["1:1 Opaque(from-arguments) 'FROM a AS b c'"]),
    Sample("from-three-words-without-as", "FROM a IS b\n", ["1:1 Opaque(from-arguments) 'FROM a IS b'"]),
    Sample("from-nothing", "FROM\n", ["1:1 Opaque(from-arguments) 'FROM'"]),
    Sample("from-bad-name", "FROM a AS 1b\n", ["1:1 Opaque(stage-name) 'FROM a AS 1b'"]),
    Sample("from-image-named-as", "FROM as\n", ["1:1 From 'as'"]),
    Sample("from-over-lines", "FROM a \\\n  # x\n  AS \\\n b\n", ["1:1 From 'a' 'AS' 'b'"]),
    # --- flags ---------------------------------------------------------------------------------------------------
    Sample(
        "mounts",
        "RUN --mount=type=cache,target=/a --mount=type=bind,target=/b \\\n    --network=none c --d\n",
        ["1:1 Run --mount=type=cache,target=/a --mount=type=bind,target=/b --network=none sh 'c --d'"],
    ),
    Sample(
        "flag-quotes",
        'RUN --mount="type=cache,target=/q b" --mount=target=/q\\ c x\n',
        ["1:1 Run --mount=type=cache,target=/q b --mount=target=/q c sh 'x'"],
    ),
    Sample(
        "flag-csv-quotes",
        "RUN --mount='type=cache,\"target=/a,b\"' x\n",
        ["1:1 Run --mount=type=cache,\"target=/a,b\" sh 'x'"],
    ),
    Sample("flag-csv-bad", 'RUN --mount=type=cache,\\"a x\n', ["1:1 Opaque(csv) 'RUN --mount=type=cache,\\\\\"a x'"]),
    Sample(
        "flag-continued-inside",
        "RUN --mount=type=cache,\\\ntarget=/g x\n",
        ["1:1 Run --mount=type=cache,target=/g sh 'x'"],
    ),
    Sample(
        "flag-comment-between",
        "RUN --mount=target=/a \\\n # b\n --mount=target=/c \\\n d\n",
        ["1:1 Run --mount=target=/a --mount=target=/c sh 'd'"],
    ),
    Sample("flags-end", "RUN -- --mount=x\n", ["1:1 Run -- sh '--mount=x'"]),
    Sample("flag-unknown", "COPY --Chown=a b c\n", ["1:1 Opaque(flag-unknown) 'COPY --Chown=a b c'"]),
    Sample("flag-twice", "COPY --from=a --from=b c d\n", ["1:1 Opaque(flag-duplicate) 'COPY --from=a --from=b c d'"]),
    Sample("flag-without-value", "COPY --from a b\n", ["1:1 Opaque(flag-value) 'COPY --from a b'"]),
    Sample(
        "flag-yes-or-no",
        "COPY --link --parents=TRUE a b\nADD --link= a b\n",
        ["1:1 Copy --link --parents=TRUE 'a' 'b'", "2:1 Opaque(flag-value) 'ADD --link= a b'"],
    ),
    Sample("flag-open-quote", "RUN --mount='a b\n", ["1:1 Run --mount=a b"]),
    Sample("flag-in-latin-1", "COPY --from=\u00e9 a b\n", ["1:1 Copy --from=\u00c3\u00a9 'a' 'b'"]),
    Sample("flag-cut-in-two", "COPY --from=\u00e0 a b\n", ["1:1 Opaque(flag-bytes) 'COPY --from=\u00e0 a b'"]),
    Sample("flag-cut-in-two-env", "ENV --\u0085m n\n", ["1:1 Opaque(flag-bytes) 'ENV --\\x85m n'"]),
    Sample("flag-cut-in-two-heredoc", "RUN --\u00a0<<E\nE\n", ["1:1 Opaque(flag-bytes) 'RUN --\\xa0<<E\\nE'"]),
    Sample(
        "mount-from-variable",
        "RUN --mount=from=$X,target=/a b\n",
        ["1:1 Opaque(mount-from-variable) 'RUN --mount=from=$X,target=/a b'"],
    ),
    Sample(
        "run-modes",
        "RUN --network=lan a\nRUN --security=no a\nRUN --device=a,b=c d\n",
        [
            "1:1 Opaque(network) 'RUN --network=lan a'",
            "2:1 Opaque(security) 'RUN --security=no a'",
            "3:1 Opaque(device) 'RUN --device=a,b=c d'",
        ],
    ),
    Sample("arg-takes-any-flag", "ARG --x=y a\n", ["1:1 Arg --x=y a"]),
    # --- forms ---------------------------------------------------------------------------------------------------
    Sample("exec", 'CMD ["a", "b c" ,"\\u0041\\n"]\n', ["1:1 Cmd exec ['a', 'b c', 'A\\n']"]),
    Sample("exec-empty", "RUN []\nCMD [ ]\n", ["1:1 Run exec []", "2:1 Cmd exec []"]),
    Sample("exec-over-lines", 'ENTRYPOINT ["a", \\\n # x\n  "b"]\n', ["1:1 Entrypoint exec ['a', 'b']"]),
    Sample("exec-lone-surrogate", 'CMD ["\\ud800"]\n', ["1:1 Cmd exec ['\ufffd']"]),
    Sample("single-quotes-are-for-the-shell", "RUN ['a']\n", ["1:1 Run sh \"['a']\""]),
    Sample("trailing-comma-is-for-the-shell", 'RUN ["a",]\n', ["1:1 Run sh '[\"a\",]'"]),
    Sample("text-after-the-array-is-for-the-shell", 'RUN ["a"] b\n', ["1:1 Run sh '[\"a\"] b'"]),
    Sample("unclosed-array-is-for-the-shell", 'RUN ["a"\n', ["1:1 Run sh '[\"a\"'"]),
    Sample("test-command-is-for-the-shell", "RUN [ -d /etc ] && x\n", ["1:1 Run sh '[ -d /etc ] && x'"]),
    Sample("tab-in-a-string-is-for-the-shell", 'RUN ["a\tb"]\n', ["1:1 Run sh '[\"a\\tb\"]'"]),
    Sample("infinity-is-no-json", "RUN [Infinity]\nRUN [1e999]\n", ["1:1 Run sh '[Infinity]'", "2:1 Run sh '[1e999]'"]),
    Sample(
        "array-of-other-things",
        'RUN ["a", 1]\nRUN b\n',
        ["1:1 Opaque(json-not-strings) 'RUN [\"a\", 1]'", "2:1 Run sh 'b'"],
    ),
    Sample("bare", "RUN\nCMD\nENTRYPOINT \n", ["1:1 Run", "2:1 Cmd", "3:1 Entrypoint"]),
    Sample(
        "shell",
        'SHELL ["/bin/bash", "-c"]\nSHELL []\nSHELL sh -c\nSHELL\n',
        [
            "1:1 Shell exec ['/bin/bash', '-c']",
            "2:1 Opaque(shell-not-json) 'SHELL []'",
            "3:1 Opaque(shell-not-json) 'SHELL sh -c'",
            "4:1 Opaque(shell-not-json) 'SHELL'",
        ],
    ),
    # --- COPY and ADD --------------------------------------------------------------------------------------------
    Sample("copy", "COPY --from=b --chown=1:2 a 'b c' d/\n", ["1:1 Copy --from=b --chown=1:2 'a' \"'b\" \"c'\" 'd/'"]),
    Sample(
        "copy-json",
        'COPY ["a b", "c"]\nADD ["a"]\n',
        ["1:1 Copy exec ['a b', 'c']", "2:1 Opaque(copy-arguments) 'ADD [\"a\"]'"],
    ),
    Sample(
        "copy-one-word", "COPY a\nCOPY\n", ["1:1 Opaque(copy-arguments) 'COPY a'", "2:1 Opaque(copy-arguments) 'COPY'"]
    ),
    Sample("copy-over-lines", "COPY a \\\n     b \\\n     c/\n", ["1:1 Copy 'a' 'b' 'c/'"]),
    Sample(
        "add-git",
        "ADD --keep-git-dir=true --checksum=sha256:0 https://x/y.git#z /a\n",
        ["1:1 Add --keep-git-dir=true --checksum=sha256:0 'https://x/y.git#z' '/a'"],
    ),
    # --- pairs ---------------------------------------------------------------------------------------------------
    Sample("env", "ENV A=1 B=\"x y\" C='p=q' D=a\\ b E=\n", ["1:1 Env A=1 B=\"x y\" C='p=q' D=a\\ b E="]),
    Sample("env-adjacent-quotes", "ENV A='x'y\"z\"\n", ["1:1 Env A='x'y\"z\""]),
    Sample("env-old", "ENV A  b  c=d\nLABEL x y\n", ["1:1 Env A b  c=d", "2:1 Label x y"]),
    Sample("env-over-lines", "ENV A=1 \\\n  # c\n  B=2 \\\n  C=3\\\n4\n", ["1:1 Env A=1 B=2 C=34"]),
    Sample(
        "env-name-only",
        "ENV A\nENV\n",
        ["1:1 Opaque(pair-without-value) 'ENV A'", "2:1 Opaque(missing-argument) 'ENV'"],
    ),
    Sample(
        "env-word-without-equals",
        "ENV A=b c\nENV A=b c =d\n",
        ["1:1 Opaque(pair-without-equals) 'ENV A=b c'", "2:1 Opaque(pair-without-equals) 'ENV A=b c =d'"],
    ),
    Sample(
        "env-blank-name",
        "ENV =b\nENV A=b =c\n",
        ["1:1 Opaque(pair-blank-name) 'ENV =b'", "2:1 Opaque(pair-blank-name) 'ENV A=b =c'"],
    ),
    Sample("env-quote-over-equals", 'ENV "a b=c"=d\n', ['1:1 Env "a b=c"=d']),
    Sample("env-open-quote", "ENV A='b c\nRUN d\n", ["1:1 Env A='b c", "2:1 Run sh 'd'"]),
    Sample("env-last-escape-is-dropped", "ENV A=b\\\\\\\nRUN d\n", ["1:1 Env A=b\\\\", "2:1 Run sh 'd'"]),
    Sample("lone-escape-is-no-word", "ARG A \\\u0085\nARG B\\\u0085\n", ["1:1 Arg A", "2:1 Arg B"]),
    Sample("env-backtick", "# escape=`\nENV A=b` c D=C:\\\n", ["1:1 Directive escape '`'", "2:1 Env A=b` c D=C:\\"]),
    Sample("label", "LABEL a.b=\"c\" 'd e'=f\n", ["1:1 Label a.b=\"c\" 'd e'=f"]),
    Sample("arg", 'ARG A B=2 C="q r" D=\n', ['1:1 Arg A B=2 C="q r" D=']),
    Sample(
        "arg-nothing",
        "ARG\nARG =x\nARG A =x\n",
        [
            "1:1 Opaque(missing-argument) 'ARG'",
            "2:1 Opaque(pair-blank-name) 'ARG =x'",
            "3:1 Opaque(pair-blank-name) 'ARG A =x'",
        ],
    ),
    # --- the others ----------------------------------------------------------------------------------------------
    Sample(
        "expose",
        "EXPOSE 80 443/tcp $P\nEXPOSE\n",
        ["1:1 Expose '80' '443/tcp' '$P'", "2:1 Opaque(missing-argument) 'EXPOSE'"],
    ),
    Sample(
        "volume",
        'VOLUME /a /b\nVOLUME ["/c d"]\nVOLUME []\nVOLUME [" "]\nVOLUME\n',
        [
            "1:1 Volume '/a' '/b'",
            "2:1 Volume exec ['/c d']",
            "3:1 Opaque(missing-argument) 'VOLUME []'",
            "4:1 Opaque(volume-empty) 'VOLUME [\" \"]'",
            "5:1 Opaque(missing-argument) 'VOLUME'",
        ],
    ),
    Sample(
        "one-argument",
        "USER a:b c\nWORKDIR /a b\nSTOPSIGNAL 9\nMAINTAINER a <b@c>\nUSER\n",
        [
            "1:1 User 'a:b c'",
            "2:1 Workdir '/a b'",
            "3:1 Stopsignal '9'",
            "4:1 Maintainer 'a <b@c>'",
            "5:1 Opaque(missing-argument) 'USER'",
        ],
    ),
    Sample(
        "healthcheck",
        'HEALTHCHECK --interval=1m30s --retries=3 CMD a b\nHEALTHCHECK cmd ["a"]\nHEALTHCHECK none\n',
        [
            "1:1 Healthcheck --interval=1m30s --retries=3 'CMD' sh 'a b'",
            "2:1 Healthcheck 'cmd' exec ['a']",
            "3:1 Healthcheck 'none'",
        ],
    ),
    Sample(
        "healthcheck-odd",
        "HEALTHCHECK NONE []\nHEALTHCHECK --x NONE\n",
        ["1:1 Healthcheck 'NONE' exec []", "2:1 Healthcheck --x 'NONE'"],
    ),
    Sample(
        "healthcheck-blanks",
        "HEALTHCHECK CMD \xa0a\nHEALTHCHECK CMD\xa0a\n",
        ["1:1 Healthcheck 'CMD' sh '\\xa0a'", "2:1 Opaque(healthcheck-kind) 'HEALTHCHECK CMD\\xa0a'"],
    ),
    Sample(
        "healthcheck-bad",
        "HEALTHCHECK\nHEALTHCHECK CMD\nHEALTHCHECK CMD []\nHEALTHCHECK GET /\nHEALTHCHECK NONE a\n",
        [
            "1:1 Opaque(missing-argument) 'HEALTHCHECK'",
            "2:1 Opaque(healthcheck-command) 'HEALTHCHECK CMD'",
            "3:1 Opaque(healthcheck-command) 'HEALTHCHECK CMD []'",
            "4:1 Opaque(healthcheck-kind) 'HEALTHCHECK GET /'",
            "5:1 Opaque(healthcheck-arguments) 'HEALTHCHECK NONE a'",
        ],
    ),
    Sample(
        "healthcheck-values",
        "HEALTHCHECK --timeout=1 CMD a\nHEALTHCHECK --timeout=1us CMD a\n"
        "HEALTHCHECK --retries=-1 CMD a\nHEALTHCHECK --timeout=0 --interval= CMD a\n",
        [
            "1:1 Opaque(flag-value) 'HEALTHCHECK --timeout=1 CMD a'",
            "2:1 Opaque(flag-value) 'HEALTHCHECK --timeout=1us CMD a'",
            "3:1 Opaque(flag-value) 'HEALTHCHECK --retries=-1 CMD a'",
            "4:1 Healthcheck --timeout=0 --interval= 'CMD' sh 'a'",
        ],
    ),
    Sample(
        "onbuild",
        'ONBUILD RUN --mount=target=/a b\nonbuild copy ["a","b"]\nONBUILD ENV A=b\n',
        ["1:1 Onbuild Run --mount=target=/a sh 'b'", "2:1 Onbuild Copy exec ['a', 'b']", "3:1 Onbuild Env A=b"],
    ),
    Sample(
        "onbuild-bad",
        "ONBUILD\nONBUILD FROM a\nONBUILD ONBUILD RUN a\nONBUILD MAINTAINER a\nONBUILD FOO\nONBUILD COPY a\n"
        "ONBUILD ENV a\nONBUILD --x RUN a\n",
        [
            "1:1 Opaque(missing-argument) 'ONBUILD'",
            "2:1 Opaque(onbuild-trigger) 'ONBUILD FROM a'",
            "3:1 Opaque(onbuild-trigger) 'ONBUILD ONBUILD RUN a'",
            "4:1 Opaque(onbuild-trigger) 'ONBUILD MAINTAINER a'",
            "5:1 Opaque(unknown-instruction) 'ONBUILD FOO'",
            "6:1 Opaque(copy-arguments) 'ONBUILD COPY a'",
            "7:1 Opaque(pair-without-value) 'ONBUILD ENV a'",
            "8:1 Opaque(flag-unknown) 'ONBUILD --x RUN a'",
        ],
    ),
    # --- here-documents ------------------------------------------------------------------------------------------
    Sample(
        "heredoc",
        "RUN <<EOF\na # b\n\n# c\\\nEOF\nRUN d\n",
        ["1:1 Run sh '<<EOF' <<EOF 'a # b\\n\\n# c\\\\\\n'", "6:1 Run sh 'd'"],
    ),
    Sample("heredoc-empty", "RUN <<EOF\nEOF\n", ["1:1 Run sh '<<EOF' <<EOF ''"]),
    Sample("heredoc-no-final-newline", "RUN <<EOF\na\nEOF", ["1:1 Run sh '<<EOF' <<EOF 'a\\n'"]),
    Sample("heredoc-tabs", "RUN <<-EOF\n\ta\n\t\tEOF\n", ["1:1 Run sh '<<-EOF' <<-EOF '\\ta\\n'"]),
    Sample("heredoc-tabs-need-the-dash", "RUN <<EOF\n\tEOF\nEOF\n", ["1:1 Run sh '<<EOF' <<EOF '\\tEOF\\n'"]),
    Sample("heredoc-blank-after-the-end", "RUN <<EOF\nEOF \nEOF\n", ["1:1 Run sh '<<EOF' <<EOF 'EOF \\n'"]),
    Sample(
        "heredoc-quoted",
        'RUN <<\'E F\' <<"A" <<B"C"\nE F\nA\nBC\n',
        ["1:1 Run sh '<<\\'E F\\' <<\"A\" <<B\"C\"' <<'E F '' <<'A '' <<'BC ''"],
    ),
    Sample("heredoc-escaped-name-is-not-quoted", "RUN <<\\EOF\nEOF\n", ["1:1 Run sh '<<\\\\EOF' <<EOF ''"]),
    Sample("heredoc-fd", "RUN 3<<A 04<<-B\nA\nB\n", ["1:1 Run sh '3<<A 04<<-B' 3<<A '' 4<<-B ''"]),
    Sample("heredoc-blank-before-the-name", "RUN cat << EOF\na\nEOF\n", ["1:1 Run sh 'cat << EOF' <<EOF 'a\\n'"]),
    Sample("heredoc-name-to-the-blank", "RUN a <<EOF; b\nEOF\nEOF;\n", ["1:1 Run sh 'a <<EOF; b' <<EOF; 'EOF\\n'"]),
    Sample("heredoc-name-with-redirection", "RUN <<EOF>/o\nEOF>/o\n", ["1:1 Run sh '<<EOF>/o' <<EOF>/o ''"]),
    Sample(
        "heredoc-in-double-quotes-is-none", 'RUN a "<<EOF"\nRUN b\n', ["1:1 Run sh 'a \"<<EOF\"'", "2:1 Run sh 'b'"]
    ),
    Sample("heredoc-in-single-quotes-is-none", "RUN a '<<EOF'\n", ["1:1 Run sh \"a '<<EOF'\""]),
    Sample("heredoc-open-quote-is-none", 'RUN a "cat <<EOF\nRUN b\n', ["1:1 Run sh 'a \"cat <<EOF'", "2:1 Run sh 'b'"]),
    Sample("heredoc-escaped-is-none", "RUN a \\<<EOF\n", ["1:1 Run sh 'a \\\\<<EOF'"]),
    Sample("here-string-is-none", "RUN a <<<EOF\n", ["1:1 Run sh 'a <<<EOF'"]),
    Sample("shift-without-blanks-is-none", "RUN echo $((1<<2))\n", ["1:1 Run sh 'echo $((1<<2))'"]),
    Sample(
        "shift-with-blanks-is-one",
        "RUN echo $((1 << 2))\nRUN a\n",
        ["1:1 Opaque(heredoc-unterminated) 'RUN echo $((1 << 2))'", "2:1 Run sh 'a'"],
    ),
    Sample("heredoc-in-exec-form-is-none", 'RUN ["a", "<<EOF"]\n', ["1:1 Run exec ['a', '<<EOF']"]),
    Sample(
        "heredoc-in-cmd-is-none", "CMD <<EOF\nEOF\n", ["1:1 Cmd sh '<<EOF'", "2:1 Opaque(unknown-instruction) 'EOF'"]
    ),
    Sample(
        "heredoc-unterminated",
        "RUN <<EOF\nRUN a\nFROM b\n",
        ["1:1 Opaque(heredoc-unterminated) 'RUN <<EOF'", "2:1 Run sh 'a'", "3:1 From 'b'"],
    ),
    Sample(
        "heredoc-second-unterminated",
        "RUN <<A <<B\nA\nRUN x\n",
        ["1:1 Opaque(heredoc-unterminated) 'RUN <<A <<B'", "2:1 Opaque(unknown-instruction) 'A'", "3:1 Run sh 'x'"],
    ),
    Sample("heredoc-same-name-twice", "RUN <<A <<A\na\nA\nb\nA\n", ["1:1 Run sh '<<A <<A' <<A 'a\\n' <<A 'b\\n'"]),
    Sample(
        "heredoc-over-lines", "RUN cat <<EOF && \\\n # x\n  b\nc\nEOF\n", ["1:1 Run sh 'cat <<EOF &&   b' <<EOF 'c\\n'"]
    ),
    Sample(
        "heredoc-flags",
        "RUN --mount=target=/a <<EOF bash -e\nb\nEOF\n",
        ["1:1 Run --mount=target=/a sh '<<EOF bash -e' <<EOF 'b\\n'"],
    ),
    Sample(
        "heredoc-crlf", "RUN <<EOF\r\na\r\nEOF\r\nRUN b\r\n", ["1:1 Run sh '<<EOF' <<EOF 'a\\r\\n'", "4:1 Run sh 'b'"]
    ),
    Sample(
        "heredoc-copy",
        "COPY --chmod=1 <<a.txt <<'b' /x/\n1\na.txt\n2\nb\n",
        ["1:1 Copy --chmod=1 '<<a.txt' \"<<'b'\" '/x/' <<a.txt '1\\n' <<'b '2\\n'"],
    ),
    Sample(
        "heredoc-copy-destination",
        "COPY a <<EOF\nb\nEOF\nRUN c\n",
        ["1:1 Opaque(copy-heredoc-destination) 'COPY a <<EOF\\nb\\nEOF'", "4:1 Run sh 'c'"],
    ),
    Sample(
        "heredoc-below-a-bad-copy",
        "COPY <<EOF\nFROM b\nEOF\nRUN c\n",
        ["1:1 Opaque(copy-arguments) 'COPY <<EOF\\nFROM b\\nEOF'", "4:1 Run sh 'c'"],
    ),
    Sample(
        "heredoc-onbuild",
        "ONBUILD RUN <<EOF\na\nEOF\nRUN b\n",
        ["1:1 Onbuild Run sh '<<EOF' <<EOF 'a\\n'", "4:1 Run sh 'b'"],
    ),
    Sample("heredoc-in-braces", "RUN a ${x:-b <<E}\nE}\n", ["1:1 Run sh 'a ${x:-b <<E}' <<E} ''"]),
    Sample("heredoc-word-lost-in-braces", "RUN a <<E${x:-y}\nRUN b\n", ["1:1 Run sh 'a <<E${x:-y}'", "2:1 Run sh 'b'"]),
    Sample(
        "heredoc-backslash-escapes-in-a-backtick-file",
        "# escape=`\nRUN a \\<<EOF\n",
        ["1:1 Directive escape '`'", "2:1 Run sh 'a \\\\<<EOF'"],
    ),
    Sample("heredoc-bad-substitution-is-none", "RUN a ${} <<EOF\n", ["1:1 Run sh 'a ${} <<EOF'"]),
    # --- limits --------------------------------------------------------------------------------------------------
    Sample("longest-line", "RUN " + "a" * 65531 + "\n", [f"1:1 Run sh '{'a' * 65531}'"]),
    Sample(
        "line-too-long",
        "RUN " + "a" * 65532 + "\nRUN b\n",
        [f"1:1 Opaque(line-too-long) 'RUN {'a' * 65532}'", "2:1 Run sh 'b'"],
    ),
    Sample(
        "line-too-long-in-bytes",
        "RUN " + "\u00e9" * 32766 + "\n",
        [f"1:1 Opaque(line-too-long) 'RUN {chr(233) * 32766}'"],
    ),
    Sample(
        "comment-too-long",
        "#" + "a" * 65535 + "\nRUN b\n",
        [f"1:1 Opaque(line-too-long) '#{'a' * 65535}'", "2:1 Run sh 'b'"],
    ),
    Sample(
        "heredoc-line-too-long",
        "RUN <<E\n" + "a" * 65536 + "\nE\nRUN b\n",
        [f"1:1 Opaque(line-too-long) 'RUN <<E\\n{'a' * 65536}\\nE'", "4:1 Run sh 'b'"],
    ),
]
