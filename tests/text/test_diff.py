"""`git apply` takes every diff, and gives the text that was meant."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from fixer.text.diff import unified_diff

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine to apply patches with")

LINES = [
    *("RUN a", "RUN b", "COPY . .", "", "  indented", "# a comment", "\ttab", "-minus", "+plus", "--- a/x", "+++ b/x"),
    *("cr\r", "cr in\rside", "form\ffeed", "\x0bvertical", "bytes \udcff\udcfe", "\ufeffmark", "wide \u2028 \x85 ü"),
    *("@@", "diff --git a/x b/x", "\\ No newline at end of file", "rename from x", "ends \\"),
]
NAMES = ["Dockerfile", "with blank/Docker file", 'quo"te', "back\\slash", "ta\tb", "ü/é", "a/b/c", "new\nline", "x y "]


def test_equal_texts_have_no_diff() -> None:
    assert unified_diff("a\n", "a\n", "x") == ""


def test_a_diff() -> None:
    before = "".join(f"{i}\n" for i in range(20))
    after = before.replace("5\n", "five\n", 1).replace("14\n", "")
    assert unified_diff(before, after, "Dockerfile") == (
        "--- a/Dockerfile\n+++ b/Dockerfile\n"
        "@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        "@@ -12,7 +12,6 @@\n 11\n 12\n 13\n-14\n 15\n 16\n 17\n"
    )


def test_the_end_without_a_line_end_is_said() -> None:
    assert unified_diff("a\nb", "a\nc", "x").endswith(
        "-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
    )


def test_close_changes_share_a_hunk() -> None:
    before = "".join(f"{i}\n" for i in range(20))
    assert unified_diff(before, before.replace("5\n", "x\n", 1).replace("12\n", "y\n"), "x").count("@@ -") == 1
    assert unified_diff(before, before.replace("4\n", "x\n", 1).replace("12\n", "y\n"), "x").count("@@ -") == 2


def texts(random_: random.Random, many: int) -> tuple[str, str]:
    before = [random_.choice(LINES) for _ in range(random_.randrange(many))]
    after = list(before)
    for _ in range(random_.randrange(1, 5)):
        at = random_.randrange(len(after) + 1)
        after[at : at + random_.randrange(4)] = [random_.choice(LINES) for _ in range(random_.randrange(4))]
    ends = [random_.choice(("\n", "")) if lines else "" for lines in (before, after)]
    return "\n".join(before) + ends[0], "\n".join(after) + ends[1]


@needs_git
@pytest.mark.parametrize("seed", range(6))
def test_git_takes_them(tmp_path: Path, seed: int) -> None:
    """Sixty files in one patch a seed; the last seeds with files for which difflib alone would be too slow."""
    random_ = random.Random(seed)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    patches, expected = [], []
    for number in range(60):
        before, after = texts(random_, 3000 if seed > 3 and number < 6 else 40)
        if not before or not after or before == after:
            continue  # a text that comes to be or goes is another kind of patch, and no codemod makes one
        name = f"{number}/{random_.choice(NAMES)}"
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(before.encode("utf-8", "surrogateescape"))
        patches.append(unified_diff(before, after, name).encode("utf-8", "surrogateescape"))
        expected.append((path, after.encode("utf-8", "surrogateescape")))
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    done = subprocess.run(command, cwd=tmp_path, input=b"".join(patches), capture_output=True, check=False)
    assert done.stderr == b""
    assert [path for path, after in expected if path.read_bytes() != after] == []


@pytest.mark.parametrize("period", [1, 10, 10_000])
def test_the_cost_is_linear(period: int) -> None:
    """Files whose lines repeat are what makes difflib quadratic: 100,000 lines would take it hours."""
    before = "".join(f"RUN {i % period}\nRUN x\n" for i in range(50_000))
    after = before.replace("RUN 0\n", "RUN --mount \\\n    0\n", 5_000)
    start = time.perf_counter()
    diff = unified_diff(before, after, "x")
    assert time.perf_counter() - start < 10
    assert diff.count("\n+") >= after.count("--mount")


def test_a_text_that_is_all_new() -> None:
    before, after = "".join(f"a{i}\n" for i in range(3000)), "".join(f"b{i}\n" for i in range(3000))
    assert unified_diff(before, after, "x").count("\n") == 6003
    same = "x\n" * 3000
    assert unified_diff(same, "y\n" + same[:-2] + "z\n", "x").count("\n") <= 6003
