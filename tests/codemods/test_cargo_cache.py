"""What runs cargo where its downloads would be no more, in many small forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixer.engine.context import FoundContext
from fixer.engine.run import fix

HEAD = "FROM rust:1.84 AS builder\nWORKDIR /app\nCOPY . .\nRUN cargo build\n"


def result(source: str, files: dict[str, str] | None = None, where: Path | None = None) -> str:
    """The reasons of the refusals; "" if there is none, and the step has got its mounts."""
    options = {}
    if files is not None and where is not None:
        for name, text in {"Dockerfile": source, "Cargo.toml": "", "src/main.rs": "", **files}.items():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            (where / name).write_text(text)
        options = {"context": FoundContext(str(where / "Dockerfile"), str(where))}
    outcome = fix(source, select=["cargo-cache"], **options)
    assert outcome.error is None
    assert bool(outcome.refusals) != ("target=/usr/local/cargo/registry" in outcome.after)
    return " ".join(refusal.reason for refusal in outcome.refusals)


@pytest.mark.parametrize(
    "command",
    [
        'CMD ["cargo", "run", "--offline"]',
        'CMD ["./wait-for", "db:5432", "--", "cargo", "run", "--offline"]',
        'CMD ["cargo-watch", "-x", "run"]',
        'CMD ["/usr/local/cargo/bin/cargo-nextest", "nextest", "run"]',
        "CMD watchexec -r -e rs cargo run",
        'CMD ["watchexec", "cargo test --offline"]',
        'CMD ["systemfd", "--no-pid", "-s", "http::8080", "--", "cargo", "watch", "-x", "run"]',
        "CMD bacon run",
        'ENTRYPOINT ["cargo"]\nCMD ["run"]',
        'ENTRYPOINT ["tini", "--", "cargo"]\nCMD ["test"]',
        "ENTRYPOINT exec cargo run --offline",
        "HEALTHCHECK CMD cargo test --offline",
    ],
)
def test_the_image_runs_cargo(command: str) -> None:
    assert result(HEAD + command + "\n") == "cargo-at-run-time"


@pytest.mark.parametrize(
    "command",
    [
        'CMD ["./target/debug/app"]',
        'CMD ["cargo", "--version"]',
        'CMD ["/app/cargo-tracker", "serve"]',
        'CMD ["app", "--name", "cargo"]',
        'CMD ["./wait-for", "db:5432", "--", "app"]',
        'ENTRYPOINT ["app"]\nCMD ["run"]',
        "CMD bash",
        "FROM debian:12\nCOPY --from=builder /app/target/debug/app /app\nCMD cargo run",
    ],
)
def test_the_image_does_not_run_cargo(command: str) -> None:
    assert result(HEAD + command + "\n") == ""


@pytest.mark.parametrize(
    ("command", "script", "expected"),
    [
        ('ENTRYPOINT ["./entry.sh"]', "#!/bin/sh\nset -e\n./migrate\nexec cargo run --offline\n", "cargo-at-run-time"),
        ('ENTRYPOINT ["/app/entry.sh"]', "#!/bin/sh\nexec cargo run\n", "cargo-at-run-time"),
        ('CMD ["sh", "entry.sh"]', "if [ -n \"$DEV\" ]; then cargo watch -x run; fi\n", "cargo-at-run-time"),
        ('ENTRYPOINT ["./entry.sh"]', "#!/bin/sh\nexec ./target/debug/app # not cargo run\n", ""),
        ('ENTRYPOINT ["./entry.sh"]', "#!/bin/sh\ncargo --version\nexec app\n", ""),
        ('ENTRYPOINT ["./other.sh"]', "#!/bin/sh\nexec cargo run\n", ""),
    ],
)
def test_scripts_of_the_context(command: str, script: str, expected: str, tmp_path: Path) -> None:
    assert result(HEAD + command + "\n", {"entry.sh": script}, tmp_path) == expected


@pytest.mark.parametrize(
    ("copied", "expected"),
    [
        ("COPY --from=builder /usr/local/cargo /usr/local/cargo", "cargo-at-run-time"),
        ("COPY --from=builder /usr/local /usr/local", "cargo-at-run-time"),
        ("COPY --from=builder /usr/local/cargo/bin /usr/local/cargo/bin", ""),
        ("COPY --from=builder /app /app", ""),
    ],
)
def test_images_that_get_the_cargo_home(copied: str, expected: str) -> None:
    assert result(f'{HEAD}FROM rust:1.84-slim\n{copied}\nCMD ["cargo", "run", "--offline"]\n') == expected


def test_an_image_with_the_cargo_home_that_does_not_run_it() -> None:
    assert result(HEAD + "FROM rust:1.84-slim\nCOPY --from=builder /usr/local/cargo /usr/local/cargo\nCMD bash\n") == ""


@pytest.mark.parametrize(
    ("config", "command", "expected"),
    [
        ({".cargo/config.toml": "[net]\noffline = true\n"}, "cargo build", "offline-step"),
        ({".cargo/config": "net.offline = true\n"}, "cargo build", "offline-step"),
        ({".cargo/config.toml": "[net]\noffline = true\n"}, "CARGO_NET_OFFLINE=false cargo build", ""),
        ({".cargo/config.toml": "[net]\noffline = false\n"}, "cargo build", ""),
        ({".cargo/config.toml": "[net]\nretry = 3\n"}, "cargo build", ""),
        ({"other/.cargo/config.toml": "[net]\noffline = true\n"}, "cargo build", ""),
        ({"other/.cargo/config.toml": "[net]\noffline = true\n"}, "cd other && cargo build", "offline-step"),
    ],
)
def test_offline_by_configuration(config: dict[str, str], command: str, expected: str, tmp_path: Path) -> None:
    source = f"FROM rust:1.84\nWORKDIR /app\nCOPY Cargo.toml .\nRUN cargo fetch\nCOPY . .\nRUN {command}\n"
    assert result(source, config, tmp_path) == expected


def test_offline_by_the_configuration_of_the_cargo_home(tmp_path: Path) -> None:
    source = HEAD + "COPY net.toml /usr/local/cargo/config.toml\nRUN cargo test\n"
    assert result(source, {"net.toml": "[net]\noffline = true\n"}, tmp_path) == "offline-step"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cargo deny --offline check", "offline-step"),
        ("cargo about --frozen generate about.hbs", "offline-step"),
        ("cargo build --tests && cargo deny --offline check", ""),
        ("cargo deny check", ""),
        ("--network=none cargo fmt --check", ""),
        ("--network=none cargo build", "offline-step"),
        ("cargo cache -r all", "cleanup"),
        ("cargo-cache --autoclean", ""),
        ("cargo cache", ""),
    ],
)
def test_other_commands(command: str, expected: str) -> None:
    assert expected == result_of_any(HEAD + f"RUN {command}\n")


def result_of_any(source: str) -> str:
    return " ".join(refusal.reason for refusal in fix(source, select=["cargo-cache"]).refusals)


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ("type=cache,target=/usr/local/cargo/registry", "type=cache,target=/usr/local/cargo/registry,sharing=private"),
        ("type=cache,id=x,sharing=shared,target=/usr/local/cargo/registry",
         "type=cache,id=x,sharing=private,target=/usr/local/cargo/registry"),
        ("type=cache,target=/usr/local/cargo/registry,sharing=locked",
         "type=cache,target=/usr/local/cargo/registry,sharing=locked"),
    ],
)  # fmt: skip
def test_no_second_step_at_once_with_a_mount_of_the_file(own: str, given: str) -> None:
    """What cargo downloads is locked in the cargo home, which is in no mount."""
    source = f"FROM rust AS a\nRUN --mount={own} cargo install just\nFROM rust\nRUN cargo install bat\n"
    after = fix(source, select=["cargo-cache"]).after
    assert f"RUN --mount={given} \\\n    cargo install bat" in after
