"""Webware's real application, unmodified, sweeps its sessions on this library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

SERVLET = """
from Page import Page

class Main(Page):
    def writeContent(self):
        self.session().setValue('seen', True)
        self.write('seen')
"""

PROGRAM = """
import sys
from time import monotonic, sleep, time
from wsgiref.util import setup_testing_defaults

import webware
webware.addToSearchPath()

from Application import Application
from TaskKit.Task import Task

application = Application('.', development=True, settings={
    'Contexts': {'default': 'Site'},
    'SessionStore': 'Memory',
    'SessionTimeout': 0.01,  # minutes
    'AppLogFilename': None,
    'ErrorLogFilename': 'Errors.csv',
    'LogErrors': True,
    'LogActivity': False,
    'PrintConfigAtStartUp': False,
})

def eventually(condition):
    deadline = monotonic() + 20
    while not condition() and monotonic() < deadline:
        sleep(.005)
    return bool(condition())

def get():
    environment = {'PATH_INFO': '/Main'}
    setup_testing_defaults(environment)
    told = []
    body = []
    def start_response(status, headers, exc_info=None):
        told.append(status)
        return body.append
    body += application(environment, start_response)
    return told[0], b'seen' in b''.join(body)

manager = application.taskManager()
print('#', type(manager).__module__)
for name, handle in manager.scheduledTasks().items():
    print('#', name, round(handle.period(), 3), type(manager.modern.handle(name).task.task).__module__)
print('#', *get())
print('#', 'sessions', len(application.sessions()))
print('#', 'swept', eventually(lambda: not application.sessions()))
print('#', 'swept by a run', manager.modern.handle('SessionSweeper').run_count > 0)

class Failing(Task):
    def run(self):
        raise LookupError('no such story')

manager.addTimedAction(time(), Failing(), 'failing')
eventually(lambda: not manager.hasScheduled('failing') and not manager.hasRunning('failing'))
application.shutDown()
print('#', 'running', manager.isRunning(), manager.is_alive())
"""


def test_an_application_sweeps_its_stale_sessions_and_hears_of_failures(tmp_path: Path) -> None:
    for name, text in {
        "program.py": PROGRAM,
        "Configs/Application.config": "",
        "Site/__init__.py": "",
        "Site/Main.py": SERVLET,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "taskkit.webware", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [line[2:] for line in done.stdout.splitlines() if line.startswith("# ")] == [
        "taskkit.webware.scheduler",
        "SessionSweeper 0.06 Tasks.SessionTask",
        "200 OK True",
        "sessions 1",
        "swept True",
        "swept by a run True",
        "running False False",
    ]
    assert "Session sweeper has started." in done.stdout
    assert "LookupError" in (tmp_path / "Logs" / "Errors.csv").read_text(encoding="utf-8")
