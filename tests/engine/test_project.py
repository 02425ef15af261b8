"""The name of the project that a Dockerfile belongs to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixer.engine.project import project_name, real_path, repository_root, slug


def repository(root: Path, config: str | None) -> None:
    (root / ".git").mkdir(parents=True)
    if config is not None:
        (root / ".git" / "config").write_text(config)


def origin(url: str) -> str:
    return f'[core]\n\tbare = false\n[remote "fork"]\n\turl = x/y/no\n[remote "origin"]\n\turl = {url}\n\tfetch = x\n'


@pytest.mark.parametrize(
    "url",
    [
        "https://forge.example/Owner/Repo.git",
        "https://forge.example/Owner/Repo/",
        "https://user:secret@forge.example:8443/group/Owner/Repo",
        "git@forge.example:Owner/Repo.git",
        "ssh://git@forge.example:2222/Owner/Repo.git",
        "../Owner/Repo",
    ],
)
def test_from_the_remote(tmp_path: Path, url: str) -> None:
    repository(tmp_path, origin(url))
    assert project_name(str(tmp_path / "Dockerfile")) == "owner-repo"
    assert project_name(str(tmp_path / "Containerfile")) == "owner-repo"
    assert project_name(str(tmp_path / "services" / "api" / "Dockerfile")) == "owner-repo-services-api"
    assert project_name(str(tmp_path / "web.Dockerfile")) == "owner-repo-web.dockerfile"


@pytest.mark.parametrize("config", [None, "", "[core]\n\tbare = false\n", '[remote "other"]\n\turl = a/b\n'])
def test_from_the_directory(tmp_path: Path, config: str | None) -> None:
    repository(tmp_path / "My Repo", config)
    assert project_name(str(tmp_path / "My Repo" / "Dockerfile")) == "my-repo"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_a_configuration_that_is_a_pipe(tmp_path: Path) -> None:
    repository(tmp_path / "mine", None)
    os.mkfifo(tmp_path / "mine" / ".git" / "config")
    assert project_name(str(tmp_path / "mine" / "Dockerfile")) == "mine"


def test_outside_a_repository(tmp_path: Path) -> None:
    assert project_name(str(tmp_path / "Dockerfile")) is None


def test_in_a_worktree(tmp_path: Path) -> None:
    repository(tmp_path / "main", origin("https://forge.example/o/r.git"))
    inner = tmp_path / "main" / ".git" / "worktrees" / "w"
    inner.mkdir(parents=True)
    (inner / "commondir").write_text("../..\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {inner}\n")
    assert project_name(str(tmp_path / "w" / "Dockerfile")) == "o-r"


def test_slug() -> None:
    assert slug("Ünï/Côde x") == "n-c-de-x"
    assert slug("///") is None
    assert slug("a,b=c\n'\"$(x)") == "a-b-c-x"


def test_where_a_path_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "file").write_text("")
    (tmp_path / "link").symlink_to("deep/er")
    (tmp_path / "deep" / "other").symlink_to("file")
    monkeypatch.chdir(tmp_path)
    names = ("", ".", "..", "deep", "deep/", "deep/file", "deep/other", "deep/../deep/file", "link", "link/", "link/.")
    for path in (*names, "link/..", "link/../file", "link/no", "no", "/", str(tmp_path / "link" / ".." / "other")):
        assert real_path(path) == os.path.realpath(path), path


def test_a_directory_of_the_same_name_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "in").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        assert real_path("in/file") == str((tmp_path / name / "in" / "file").resolve())


def test_the_root_of_a_deep_directory(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    deep = tmp_path.joinpath(*["d"] * 1500)
    assert repository_root(str(deep)) == str(tmp_path)
