"""An engine for one test that may be broken, and a look at processes."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def docker_says(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def processes(word: str) -> dict[int, str]:
    """Command lines with a word in them, by the number of the process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if word in text and int(path.parent.name) != os.getpid():
            found[int(path.parent.name)] = text
    return found


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Private:
    """An engine for one test, from the programs of the shared one, with the image `debian`."""

    def __init__(self, folder: Path, size: str) -> None:
        """size: of its disk, a tmpfs."""
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self.data = folder / "data"
        self.data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "dockfix", str(self.data)], check=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, configuration: dict[str, object] | None = None) -> None:
        """configuration: that of the daemon, if it is to have any."""
        space = f"dockfix-{secrets.token_hex(4)}"
        (self.folder / "daemon.json").write_text(json.dumps(configuration or {}))
        options = [
            f"--config-file={self.folder}/daemon.json",
            f"--host={self.host}",
            f"--containerd={os.environ['DOCKFIX_ENGINE']}/containerd.sock",
            f"--containerd-namespace={space}",
            f"--containerd-plugins-namespace={space}-plugins",
            f"--data-root={self.data}",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid",
            *("--bridge=none", "--iptables=false", "--ip6tables=false"),
        ]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["dockerd", *options], stdout=log, stderr=log, start_new_session=True)
        until(lambda: not subprocess.run(["docker", "-H", self.host, "version"], capture_output=True).returncode)

    def load(self) -> None:
        with subprocess.Popen(["docker", "save", "debian:latest"], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "-H", self.host, "load"], stdin=saved.stdout, check=True, capture_output=True)
        assert saved.returncode == 0

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
        places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in sorted((place for place in places if place.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", place], check=False)
