"""Where sockets are, and who may use them: names, folders, what is stale and what is not."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from patience import PATIENCE

from taskkit.remote.errors import SocketPathError
from taskkit.remote.names import check_name
from taskkit.remote.sockets import (
    Peer,
    check_folder,
    connect,
    found_sockets,
    listen,
    may_use,
    peer_of,
    remove_stale,
    socket_file,
    socket_folder,
    socket_path,
    target_hash,
    target_hashes,
)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short runtime folder of the test's own."""
    with TemporaryDirectory(prefix="tk-") as made:
        monkeypatch.setenv("XDG_RUNTIME_DIR", made)
        monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
        yield Path(made)


@pytest.mark.parametrize("name", ["shop", "a", "x" * 40, "nightly jobs", "läden", "v1.2"])
def test_names_that_can_be_typed_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 41,
        "é" * 31,
        "a/b",
        "a:b",
        "4711",
        "-x",
        ".x",
        "tasks.toml",
        "a\nb",
        "\ud800",
        " a",
        "a\u200b",
    ],
)
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name must"):
        check_name(name)


def test_a_name_is_a_text() -> None:
    with pytest.raises(TypeError, match="not 7"):
        check_name(7)


def test_a_target_has_one_hash_however_its_path_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert target_hash("tasks.toml") == target_hash(str(tmp_path / "tasks.toml"))
    assert target_hash("tasks.toml") != target_hash("other.toml")
    in_one_folder = target_hash("shop.tasks:scheduler")
    monkeypatch.chdir("/")
    assert target_hash("shop.tasks:scheduler") != in_one_folder


def test_the_folder_is_made_for_its_owner_alone(runtime: Path) -> None:
    folder = socket_folder()

    assert folder == runtime / "taskkit"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert socket_folder() == folder


def test_of_several_runtime_folders_of_systemd_the_first_counts(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runtime / "first").mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{runtime}/first:{runtime}/second")

    assert socket_folder() == runtime / "first" / "taskkit"


def test_a_folder_that_others_can_use_is_refused_with_the_remedy(runtime: Path) -> None:
    folder = runtime / "taskkit"
    folder.mkdir()
    folder.chmod(0o755)

    with pytest.raises(SocketPathError, match=f"chmod 700 {folder}"):
        socket_folder()


def test_a_link_in_the_place_of_the_folder_is_refused(runtime: Path, tmp_path: Path) -> None:
    (runtime / "taskkit").symlink_to(tmp_path)

    with pytest.raises(SocketPathError, match="not a folder"):
        socket_folder()


def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(SocketPathError, match="belongs to user"):
        check_folder(tmp_path, os.getuid() + 1)


def test_a_path_that_is_too_long_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SocketPathError, match="take a shorter name"):
        socket_path(tmp_path / ("x" * 100), "shop", None, 4711)


def test_a_socket_is_for_its_owner_alone_before_anybody_can_connect(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = socket_path(socket_folder(), "shop", None, os.getpid())
    modes: list[int] = []

    class Recording(socket.socket):
        def listen(self, backlog: int = 0, /) -> None:
            modes.append(stat.S_IMODE(path.stat().st_mode))
            super().listen(backlog)

    monkeypatch.setattr("taskkit.remote.sockets.socket.socket", Recording)
    umask = os.umask(0)
    try:
        listen(path).close()
    finally:
        os.umask(umask)

    assert modes == [0o600]


def test_what_a_killed_process_left_is_removed(runtime: Path) -> None:
    path = runtime / "left.sock"
    listen(path).close()

    assert remove_stale(path) is True
    assert not path.exists()
    assert remove_stale(path) is None


def test_a_live_socket_is_left_also_where_its_backlog_is_full(runtime: Path) -> None:
    path = runtime / "full.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))

        assert remove_stale(path) is False
        with pytest.raises(SocketPathError, match="something is there already"):
            listen(path)


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_only_a_socket_is_ever_removed(runtime: Path, kind: str) -> None:
    path = runtime / "other.sock"
    target = runtime / "target"
    listen(target).close()
    match kind:
        case "file":
            path.write_text("mine", encoding="utf-8")
        case "link":
            path.symlink_to(target)
        case _:
            path.mkdir()

    assert remove_stale(path) is False
    assert os.path.lexists(path)
    assert target.exists()


def test_the_kernel_says_who_is_at_the_other_end(runtime: Path) -> None:
    path = runtime / "peer.sock"
    with listen(path) as listener:
        listener.setblocking(True)
        listener.settimeout(PATIENCE)
        peers: list[Peer] = []

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                peers.append(peer_of(connection))

        accepting = threading.Thread(target=accept)
        accepting.start()
        connect(path, PATIENCE).close()
        accepting.join(PATIENCE)

    assert [(peer.uid, peer.pid) for peer in peers] == [(os.getuid(), os.getpid())]


def test_the_own_user_and_root_may_use_a_socket_and_nobody_else() -> None:
    assert may_use(Peer(os.getuid(), None))
    assert may_use(Peer(0, None))
    assert not may_use(Peer(os.getuid() + 1, None))


def test_sockets_are_found_also_in_the_folders_of_processes_with_other_variables(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = socket_path(socket_folder(), "my shop-2", "tasks.toml", 17)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / "taskkit"))  # as another environment has it
    other = socket_path(socket_folder(), "other", None, 18)
    with listen(mine), listen(other):
        (other.parent / "notes.sock").write_text("", encoding="utf-8")
        found = {each.path: each for each in found_sockets()}

    assert (found[mine].name, found[mine].pid, found[mine].target_hash) == (
        "my shop-2",
        17,
        target_hash("tasks.toml"),
    )
    assert found[other].name == "other"
    assert other.parent / "notes.sock" not in found


def test_a_socket_whose_process_is_about_to_listen_is_not_taken_for_a_stale_one(runtime: Path) -> None:
    from taskkit.remote.discovery import ask_all

    path = socket_path(socket_folder(), "young", None, os.getpid())
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        (file,) = [each for each in found_sockets() if each.path == path]
        (found,) = ask_all([file])
        assert found.greeting is None
        assert path.exists()
    ask_all([file._replace(pid=2**22 + 1)])  # no process has that id
    assert not path.exists()


def test_a_task_file_is_found_with_and_without_the_links_of_its_path(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "current").symlink_to("release")
    monkeypatch.chdir(tmp_path / "release")
    made = target_hash("tasks.toml")

    assert target_hash("../release/./tasks.toml") == made
    assert made in target_hashes(str(tmp_path / "current" / "tasks.toml"))


def test_a_socket_whose_path_is_too_long_is_named_with_the_reason(tmp_path: Path) -> None:
    from taskkit.remote.discovery import ask_all

    long = tmp_path / ("x" * 100) / "shop-4711-0123abcd.sock"
    (found,) = ask_all([socket_file(long)])
    assert "path too long" in found.trouble
