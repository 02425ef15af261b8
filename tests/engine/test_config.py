from __future__ import annotations

from pathlib import Path

import pytest

from fixer.analysis import Images
from fixer.codemods.api import Builder
from fixer.engine import config, project, workflows
from fixer.engine.config import NOTHING, Config, ConfigTrouble, find_config
from fixer.engine.files import Target
from fixer.engine.job import Done, Options, configured, find_builder, fix_target, searched
from fixer.engine.kinds import IGNORE, WORKFLOW
from fixer.engine.result_cache import ResultCache
from fixer.report.json import file_object
from fixer.report.text import notes


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    for known in (config._of_directory, config._in_directory, project.repository_root, project._origin):
        known.cache_clear()
    workflows._hosted.cache_clear()
    workflows.workflows_of.cache_clear()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


# --- files of settings ----------------------------------------------------------------------------------------------


def test_all_keys(repository: Path) -> None:
    path = write(
        repository / "dockfix.toml",
        'builder = "ephemeral"\nselect = ["apt-cache"]\nignore = ["pip-cache"]\nunsafe-fixes = true\n'
        'project = "My Shop"\ncontext = "a"\n[images]\n"acme/x" = "rust"\n',
    )
    found = find_config(str(repository / "a" / "b" / "Dockerfile"))
    assert found == Config(
        str(path), Builder.EPHEMERAL, ("apt-cache",), ("pip-cache",), True, "my-shop", str(repository / "a"),
        Images({"acme/x": "rust"}),
    )  # fmt: skip


def test_the_nearest_counts(repository: Path) -> None:
    write(repository / "dockfix.toml", 'project = "outer"\nunsafe-fixes = true\n')
    write(repository / "a" / "pyproject.toml", '[tool.dockfix]\nproject = "inner"\n')
    write(repository / "a" / "b" / "pyproject.toml", "[tool.other]\nx = 1 # dockfix\n")
    found = find_config(str(repository / "a" / "b"))
    assert (found.project, found.unsafe_fixes) == ("inner", None)
    assert find_config(str(repository)).project == "outer"


@pytest.mark.parametrize("name", ["dockfix.toml", ".dockfix.toml"])
def test_own_files_come_before_pyproject(repository: Path, name: str) -> None:
    write(repository / name, 'project = "own"\n')
    write(repository / "pyproject.toml", '[tool.dockfix]\nproject = "shared"\n')
    assert find_config(str(repository)).project == "own"


def test_above_the_repository_nothing_counts(repository: Path) -> None:
    write(repository / "dockfix.toml", 'project = "outer"\n')
    (repository / "a" / ".git").mkdir()
    assert find_config(str(repository / "a" / "b")) is NOTHING


def test_outside_a_repository_only_the_directory_counts(tmp_path: Path) -> None:
    write(tmp_path / "dockfix.toml", 'project = "here"\n')
    (tmp_path / "a").mkdir()
    assert find_config(str(tmp_path)).project == "here"
    assert find_config(str(tmp_path / "a")) is NOTHING


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nunsafe_fixes = true\n", ":2: there is no key `unsafe_fixes`"),
        ('builder = "cloud"\n', ':1: `builder` is one of "auto", "persistent", "ephemeral", not "cloud"'),
        ("builder = 1\n", ":1: `builder` is a text"),
        ('select = "apt-cache"\n', ":1: `select` is a list"),
        ('# x\nselect = ["apt"]\n', ":2: `select`: there is no codemod 'apt'"),
        ("ignore = [1]\n", ":1: `ignore`: there is no codemod 1"),
        ('unsafe-fixes = "yes"\n', ":1: `unsafe-fixes` is true or false"),
        ('project = "%"\n', ":1: `project` holds nothing"),
        ('context = "gone"\n', ":1: `context`: there is no directory"),
        ("images = 1\n", ":1: `images` is a table of images"),
        ('[images]\n"acme/x" = "rust"\n"acme/y" = 1\n', ":3: `images`: `acme/y`: names of images are texts"),
        ('[images]\n"acme/x" = "rust"\n"acme/y" = "acme/z"\n', ":3: `images`: `acme/y`: dockfix itself knows"),
        ("a = [\n", "no TOML"),
        ("ignore = " + "[" * 9_000 + "]" * 9_000 + "\n", "no TOML: nested too deeply"),
    ],
)
def test_what_cannot_be_followed(repository: Path, text: str, said: str) -> None:
    path = write(repository / "dockfix.toml", text)
    with pytest.raises(ConfigTrouble) as caught:
        find_config(str(repository))
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_the_line_in_pyproject_is_that_of_its_table(repository: Path) -> None:
    write(repository / "pyproject.toml", "[tool.x]\nwrong = 1\n\n[tool.dockfix]\nwrong = 2\n")
    with pytest.raises(ConfigTrouble, match=r"pyproject\.toml:5: there is no key `wrong`"):
        find_config(str(repository))


def test_the_line_of_an_image_is_that_of_its_table(repository: Path) -> None:
    text = '[tool.poetry.dependencies]\npython = "^3"\n[tool.dockfix.images]\npython = "nope"\n'
    write(repository / "pyproject.toml", text)
    with pytest.raises(ConfigTrouble, match=r"pyproject\.toml:4: `images`: `python`: dockfix itself knows nothing"):
        find_config(str(repository))


def test_a_directory_is_looked_at_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(config, "_text", lambda path: looked.append(path))
    for number in range(50):
        find_config(str(repository / "a" / "b" / f"Dockerfile.{number}"))
    assert len(looked) == 9


# --- what comes first -----------------------------------------------------------------------------------------------


def test_the_command_line_wins_key_by_key(repository: Path) -> None:
    write(repository / "dockfix.toml", 'builder = "ephemeral"\nselect = ["apt-cache"]\nproject = "theirs"\n')
    given = Options(select=("pip-cache",), builder=Builder.PERSISTENT)
    found = configured(given, str(repository))
    assert (found.select, found.builder, found.project) == (("pip-cache",), Builder.PERSISTENT, "theirs")
    assert configured(Options(auto=True), str(repository)).builder is None
    assert configured(Options(), str(repository)).builder is Builder.EPHEMERAL


def test_what_is_said_of_images_is_taken_together(repository: Path) -> None:
    write(repository / "dockfix.toml", '[images]\n"acme/x" = "rust"\n"acme/y" = "python"\n')
    said = {"acme/x": "debian", "acme/z/": "docker.io/"}
    given = Options(images=Images(said))
    assert configured(given, str(repository)).images == Images({**said, "acme/y": "python"})
    assert configured(given, str(repository)).images is configured(given, str(repository)).images
    assert configured(configured(given, str(repository)), str(repository)) == configured(given, str(repository))
    assert configured(Options(), str(repository)).images == Images({"acme/x": "rust", "acme/y": "python"})


def test_images_are_a_part_of_what_a_result_rests_on(repository: Path, tmp_path: Path) -> None:
    cache = ResultCache(str(tmp_path / "results.sqlite"), b"seed")
    path = write(repository / "Dockerfile", "FROM acme/python:1\nRUN pip install flask\n")
    done = fixed(path, cache=cache)
    cache.keep(done.rows)
    assert fixed(path, cache=cache).known
    again = fixed(path, Options(images=Images({"acme/python": "python:3.12"})), cache)
    assert not again.known
    assert again.result.outcome is not None
    assert "target=/root/.cache/pip" in again.result.outcome.text_after
    assert done.result.status == "unchanged"


def test_what_is_looked_for(repository: Path) -> None:
    here = [str(repository)]
    wanted, asked = searched(Options(), here)
    assert (WORKFLOW in wanted, IGNORE in wanted, asked) == (True, False, frozenset())
    assert searched(Options(builder=Builder.EPHEMERAL), here)[1] == {WORKFLOW}
    write(repository / "a" / "dockfix.toml", 'select = ["gha-cache"]\n')
    config._of_directory.cache_clear()
    config._in_directory.cache_clear()
    assert searched(Options(), [*here, str(repository / "a")])[1] == {WORKFLOW}


def fixed(path: Path, options: Options | None = None, cache: ResultCache | None = None) -> Done:
    return fix_target(Target(str(path)), Options() if options is None else options, cache=cache)


def test_configuration_that_cannot_be_followed_is_the_files_problem(repository: Path) -> None:
    write(repository / "dockfix.toml", "x = 1\n")
    done = fixed(write(repository / "Dockerfile", "FROM debian\n"))
    assert done.result.problem is not None
    assert done.result.problem.kind == "configuration"


# --- two worlds -----------------------------------------------------------------------------------------------------

WORKFLOW_TEXT = """\
on: push
jobs:
  a:
    runs-on: RUNNER
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: a
"""
PIP = "FROM python:3.12\nRUN pip install flask\n"


def test_a_dockerfile_that_a_workflow_builds_on_hosted_runners_is_ephemeral(repository: Path) -> None:
    built, other = write(repository / "a" / "Dockerfile", PIP), write(repository / "Dockerfile", PIP)
    write(repository / ".github" / "workflows" / "ci.yml", WORKFLOW_TEXT.replace("RUNNER", "ubuntu-latest"))
    assert find_builder(str(built), Options()) == (Builder.EPHEMERAL, (".github/workflows/ci.yml",))
    assert find_builder(str(other), Options()) == (Builder.PERSISTENT, ())
    assert find_builder(str(built), Options(builder=Builder.PERSISTENT)) == (Builder.PERSISTENT, ())
    assert find_builder(str(other), Options(builder=Builder.EPHEMERAL)) == (Builder.EPHEMERAL, ())


@pytest.mark.parametrize("runner", ["self-hosted", "big", "${{ inputs.x }}"])
def test_other_runners_keep_their_builders(repository: Path, runner: str) -> None:
    built = write(repository / "a" / "Dockerfile", PIP)
    write(repository / ".github" / "workflows" / "ci.yml", WORKFLOW_TEXT.replace("RUNNER", runner))
    assert find_builder(str(built), Options()) == (Builder.PERSISTENT, ())


def test_a_broken_workflow_says_nothing(repository: Path) -> None:
    built = write(repository / "a" / "Dockerfile", PIP)
    write(repository / ".github" / "workflows" / "ci.yml", "docker: [\n")
    assert find_builder(str(built), Options()) == (Builder.PERSISTENT, ())


def test_the_report_says_what_cache_mounts_bring(repository: Path) -> None:
    built = write(repository / "a" / "Dockerfile", PIP)
    write(repository / ".github" / "workflows" / "ci.yml", WORKFLOW_TEXT.replace("RUNNER", "ubuntu-latest"))
    done = fixed(built)
    assert done.result.outcome is not None
    assert "type=cache" in done.result.outcome.text_after
    said = notes(done.result)
    assert ": note: where .github/workflows/ci.yml builds it, on GitHub's runners, cache mounts start empty" in said
    assert "gha-cache" in said
    assert "note" not in notes(done.result, only_trouble=True)
    facts = file_object(done.result)
    assert (facts["builder"], facts["built_by"]) == ("ephemeral", [".github/workflows/ci.yml"])
    elsewhere = fixed(write(repository / "Dockerfile", PIP))
    assert ": note:" not in notes(elsewhere.result)
    assert file_object(elsewhere.result)["builder"] == "persistent"


def test_dockerfile_and_workflow_change_together(repository: Path) -> None:
    setup = "      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build"
    text = WORKFLOW_TEXT.replace("RUNNER", "ubuntu-latest").replace("      - uses: docker/build", setup)
    path = write(repository / ".github" / "workflows" / "ci.yml", text)
    done = fixed(path)
    assert done.result.outcome is not None
    assert "cache-to: type=gha,mode=max\n" in done.result.outcome.text_after
    assert not fixed(path, Options(builder=Builder.PERSISTENT)).result.outcome.changed  # type: ignore[union-attr]


def test_a_result_for_one_builder_is_not_one_for_another(repository: Path, tmp_path: Path) -> None:
    cache = ResultCache(str(tmp_path / "results.sqlite"), b"seed")
    keys = {
        cache.key(b"x", "p", (None, (), False, builder, None)) for builder in ("persistent", "ephemeral")
    } | {cache.key(b"x", "p", (None, (), True, "persistent", None)), cache.key(b"x", "p")}
    assert len(keys) == 4
    path = write(repository / "a" / "Dockerfile", "FROM debian\nRUN apt-get install x # apt-get\n")
    done = fixed(path, cache=cache)
    cache.keep(done.rows)
    assert done.rows
    assert fixed(path, cache=cache).known
    assert not fixed(path, Options(builder=Builder.EPHEMERAL), cache).known
    write(repository / ".github" / "workflows" / "ci.yml", WORKFLOW_TEXT.replace("RUNNER", "ubuntu-latest"))
    workflows._hosted.cache_clear()
    workflows.workflows_of.cache_clear()
    again = fixed(path, cache=cache)
    assert not again.known
    assert again.result.builder is Builder.EPHEMERAL
