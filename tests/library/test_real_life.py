"""The examples of the page on attaching, as people run them: web servers, a systemd unit, a container."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from configparser import RawConfigParser
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from patience import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
UNIT = EXAMPLES / "shop.service"

TASKS = """
[tasks.hello]
command = "echo hello"
on_demand = true
"""


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        find_spec(package) is None, reason=f'{package} is not installed: pip install -e ".[dev]"'
    )


@contextmanager
def running(command: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=EXAMPLES, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="tk-") as made:
        yield Path(made)


def surroundings(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHONWARN")}
    return kept | {"XDG_RUNTIME_DIR": str(folder), "PYTHONPATH": f"{ROOT}{os.pathsep}{EXAMPLES}"}


def bare() -> dict[str, str]:
    """Return what `docker exec` and `ssh` without a session have: neither a runtime folder nor a bus."""
    return {"PATH": os.environ["PATH"], "HOME": "/", "TERM": "xterm", "PYTHONPATH": str(ROOT)}


def taskkit(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskkit", *arguments],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
    )


def sockets(folder: Path) -> list[Path]:
    return sorted(folder.glob("taskkit/*.sock"))


def get(path: Path, url: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    return answer.decode().partition("\r\n\r\n")[2]


@needs("starlette")
@needs("uvicorn")
def test_the_tasks_of_a_starlette_application_are_seen_and_stop_with_it(folder: Path) -> None:
    web, environment = folder / "web.sock", surroundings(folder)
    command = [sys.executable, "-m", "uvicorn", "starlette_app:app", "--uds", str(web)]
    with running(command, environment) as server:
        eventually(lambda: sockets(folder) and web.exists())
        assert json.loads(get(web, "/refresh")) == {"asked": True}
        assert "prices fetched" in taskkit("logs", str(server.pid), environment=environment).stdout
        listed = taskkit("list", str(server.pid), "--json", environment=environment).stdout
        assert json.loads(listed)["task"] == "prices"
    assert sockets(folder) == []


@needs("gunicorn")
def test_each_of_three_workers_of_gunicorn_has_a_socket(folder: Path) -> None:
    web, environment = folder / "web.sock", surroundings(folder)
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "gunicorn_conf.py",
        "--bind",
        f"unix:{web}",
        "wsgi_app:app",
    ]
    with running(command, environment):
        eventually(lambda: len(sockets(folder)) == 3)
        assert "hello\n" in get(web, "/")
        pids = {path.name.split("-")[1] for path in sockets(folder)}
        listed = map(json.loads, taskkit("ps", "--json", environment=environment).stdout.splitlines())
        rows = [row for row in listed if str(row["pid"]) in pids]
        assert [(row["name"], row["target"]) for row in rows] == [("shop", "wsgi_app:scheduler")] * 3
        one = min(pids)
        assert (
            "clean cache is next due"
            in taskkit("explain", one, "clean cache", environment=environment).stdout
        )
    assert sockets(folder) == []


def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False)  # a unit may have a key twice
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """What systemd runs by the unit: its command, and the folders that it makes."""
    with TemporaryDirectory(prefix="tk-") as made:
        folder = Path(made)
        state, run = folder / "state" / "shop", folder / "run" / "shop"
        for each in (state, run):
            each.mkdir(parents=True, mode=0o700)
        tasks = folder / f"tasks{os.getpid()}.toml"
        tasks.write_text(TASKS)
        words = unit()["Service"]["ExecStart"].replace("%S", str(folder / "state")).split()
        assert words[:3] == ["/opt/shop/venv/bin/taskkit", "run", "/etc/shop/tasks.toml"]
        command = [sys.executable, "-m", "taskkit", "run", str(tasks), *words[3:]]
        with running(command, bare() | {"RUNTIME_DIRECTORY": str(run)}) as process:
            eventually(lambda: sockets(run))
            yield run, process


def test_the_unit_is_what_systemd_takes(tmp_path: Path) -> None:
    block = (ROOT / "docs" / "attach.md").read_text().partition("```ini\n")[2].partition("```")[0]
    assert set(block.splitlines()) <= set(UNIT.read_text().splitlines())
    assert unit()["Service"]["RuntimeDirectoryMode"] == "0700"
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return  # it was parsed, at least
    found = tmp_path / "shop.service"
    found.write_text(UNIT.read_text().replace("/opt/shop/venv/bin/taskkit", sys.executable))
    verified = subprocess.run([verify, "verify", found], capture_output=True, text=True, timeout=60)
    assert "shop.service" not in verified.stderr


def test_a_command_without_any_environment_finds_the_service(
    service: tuple[Path, subprocess.Popen[bytes]],
) -> None:
    """As `docker exec` and cron run it."""
    run, process = service
    name = sockets(run)[0].name.split("-")[0]
    triggered = taskkit("trigger", name, "hello", environment=bare())
    assert (triggered.returncode, triggered.stdout) == (0, "hello\n")
    assert str(process.pid) in taskkit("ps", environment=bare()).stdout


def test_a_service_is_reached_through_another_mount_of_its_folder(
    service: tuple[Path, subprocess.Popen[bytes]], folder: Path
) -> None:
    run, _process = service
    mount = folder / "mount"
    mount.symlink_to(run)
    path = f"{mount}/taskkit/{sockets(run)[0].name}"
    assert "hello runs only on demand" in taskkit("explain", path, "hello", environment=bare()).stdout
    gone = taskkit("explain", path.replace("tasks", "other"), "hello", environment=bare())
    assert gone.returncode == 2
