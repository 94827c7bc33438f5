"""Programs written for TaskKit, the manual's and Webware's own, do what they did without a changed line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from stage import Stage, staged

from taskkit import webware
from taskkit.testing import ManualClock

SIMPLE_TASK = """
from time import strftime, localtime
from TaskKit.Task import Task

class SimpleTask(Task):

    def run(self):
        print(self.name(), strftime("%H:%M:%S", localtime()))
"""

PAGE_GENERATOR = """
from time import asctime
from TaskKit.Task import Task

html = '''<html>
<head><title>%s</title></head>
<h1>%s</h1>
</html>
'''

class PageGenerator(Task):

    def __init__(self, filename):
        Task.__init__(self)
        self._filename = filename

    def run(self):
        with open(self._filename, 'a') as f:
            f.write(html % ('Static Page', asctime()))
"""

GROWING = """
from time import sleep, time
from TaskKit.Scheduler import Scheduler
from TaskKit.Task import Task

class SimpleTask(Task):

    def run(self):
        if self.proceed():
            print(self.name(), time() - begin)
            print("Increasing period")
            self.handle().setPeriod(self.handle().period() + 2)
        else:
            print("Should not proceed", self.name())

begin = time()
scheduler = Scheduler()
scheduler.start()
scheduler.addPeriodicAction(begin, 5, SimpleTask(), 'SimpleTask')
sleep(30)
print(scheduler.scheduled('SimpleTask').period())
scheduler.stop()
"""


@pytest.fixture
def stage(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    modules = {"Tasks.PageGenerator": PAGE_GENERATOR, "Tasks.SimpleTask": SIMPLE_TASK}
    with staged(clock, monkeypatch, modules) as stage:
        yield stage


def pages(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("<h1>") if path.exists() else 0


def test_a_page_is_generated_every_five_seconds_for_twenty(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "static.html"
    program = f"""
from time import sleep, time
from TaskKit.Scheduler import Scheduler
from Tasks.PageGenerator import PageGenerator

def main():
    scheduler = Scheduler()
    scheduler.start()
    scheduler.addPeriodicAction(time(), 5, PageGenerator({str(path)!r}), 'PageGenerator')
    sleep(20)
    scheduler.stop()

if __name__ == '__main__':
    main()
"""

    stage.run(program)

    assert pages(path) == 5  # at 0, 5, 10, 15 and 20 seconds
    assert "<title>Static Page</title>" in path.read_text(encoding="utf-8")


def test_a_page_is_generated_once(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "static.html"

    stage.run(f"""
from time import sleep, time
from TaskKit.Scheduler import Scheduler
from Tasks.PageGenerator import PageGenerator

scheduler = Scheduler()
scheduler.start()
scheduler.addTimedAction(time() + 3, PageGenerator({str(path)!r}), 'PageGenerator')
sleep(20)
print(scheduler.hasScheduled('PageGenerator'))
scheduler.stop()
""")

    assert pages(path) == 1


def test_a_task_on_demand_runs_when_it_is_demanded(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run("""
from time import sleep
from TaskKit.Scheduler import Scheduler
from Tasks.SimpleTask import SimpleTask

scheduler = Scheduler()
scheduler.start()
scheduler.addActionOnDemand(SimpleTask(), 'SimpleTask')
sleep(5)
print("Demanding SimpleTask")
scheduler.runTaskNow('SimpleTask')
sleep(5)
scheduler.stop()
""")

    told = capsys.readouterr().out.splitlines()
    assert told[0] == "Demanding SimpleTask"
    assert re.fullmatch(r"SimpleTask \d\d:\d\d:05", told[1])
    assert len(told) == 2


def test_a_task_makes_its_own_period_longer(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run(GROWING)

    told = capsys.readouterr().out.splitlines()
    assert told == [
        "SimpleTask 0.0",
        "Increasing period",
        "SimpleTask 7.0",
        "Increasing period",
        "SimpleTask 16.0",
        "Increasing period",
        "SimpleTask 27.0",
        "Increasing period",
        "13",
    ]


def test_the_servlet_lists_names_and_periods_and_generating_again_changes_them(
    stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stage.run(f"""
from time import sleep, time
from TaskKit.Scheduler import Scheduler
from Tasks.PageGenerator import PageGenerator

def generate(filename, seconds):
    task = PageGenerator({str(tmp_path)!r} + '/' + filename)
    tm.addPeriodicAction(time(), seconds, task, 'PageGenerator for ' + filename)

def show():
    sleep(1)
    for taskname, handler in tm.scheduledTasks().items():
        print('%s | %s' % (taskname, handler.period()))

tm = Scheduler()
tm.start()
generate('static1.html', 60)
generate('static2.html', 120)
show()
generate('static1.html', 30)
show()
tm.stop()
""")

    assert capsys.readouterr().out.splitlines() == [
        "PageGenerator for static1.html | 60",
        "PageGenerator for static2.html | 120",
        "PageGenerator for static2.html | 120",
        "PageGenerator for static1.html | 30",
    ]
    assert pages(tmp_path / "static1.html") == 2
    assert pages(tmp_path / "static2.html") == 1


def test_the_first_article_is_understood_too(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """TaskKit 0.5: `run(self, close)`, `scheduled()` for all of them, and the name that was announced."""
    stage.run("""
from time import sleep, time
from TaskKit.Scheduler import Scheduler
from TaskKit.Task import Task

class SessionTask(Task):
    def run(self, close):
        if not (close.isSet() or (not self.handle()._isRunning)):
            print("sweeping")

class Patient(Task):
    def run(self, close):
        while not close.isSet():
            sleep(1)
        print("closed", self.handle().closeEvent().isSet(), scheduler.closeEvent() is close)

scheduler = Scheduler(1)
scheduler.start()
scheduler.addPeriodicTask(time() + 1, 5, SessionTask(), 'SessionTask')
for taskname, handler in scheduler.scheduled().items():
    print(taskname, handler.period())
sleep(7)
scheduler.addTimedAction(time(), Patient(), 'Patient')
sleep(2)
print(sorted(scheduler.running()), list(scheduler.onDemand()))
scheduler.closeEvent().set()
sleep(1)
print(scheduler.unregister('SessionTask').name())
print(scheduler.scheduled('SessionTask'))
""")

    assert capsys.readouterr().out.splitlines() == [
        "SessionTask 5",
        "sweeping",
        "sweeping",
        "['Patient'] []",
        "closed True True",
        "SessionTask",
        "None",
    ]


def test_a_program_that_adds_before_it_starts_and_never_calls_the_base_constructor(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """A monitor of web servers that can be found on the net does this."""
    stage.run("""
import time
from TaskKit.Scheduler import Scheduler
from TaskKit.Task import Task

scheduler = Scheduler()

class MetricCollectorTask(Task):
    def __init__(self):
        self.metrics = []
    def run(self):
        try:
            if self.proceed():
                self.metrics.append(1)
        except Exception as ex:
            print('Exception :%s' % ex)

collectorTask = MetricCollectorTask()
scheduler.addPeriodicAction(time.time(), 2, collectorTask, 'MetricCollectorTask')
time.sleep(10)
print(len(collectorTask.metrics))
scheduler.start()
time.sleep(10)
print(len(collectorTask.metrics))
scheduler.stop()
""")

    assert capsys.readouterr().out.splitlines() == ["0", "6"]


def webware_file(path: str) -> str:
    """The source of a file of Webware's own."""
    spec = find_spec("webware")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], path).read_text(encoding="utf-8")


def test_webwares_own_test_run_of_the_scheduler_prints_what_it_should(
    stage: Stage, capsys: pytest.CaptureFixture[str], start: float
) -> None:
    """Its `SchedulerTest.py` takes 75 seconds of the clock."""
    stage.run(webware_file("TaskKit/Tests/SchedulerTest.py"))

    told = capsys.readouterr().out.splitlines()
    ticks = [line for line in told if line.startswith("SimpleTask1 ")]
    daily = [line for line in told if line.startswith("DailyTask ")]
    assert ticks == [f"SimpleTask1 {start + second}" for second in range(8)]
    assert f"SimpleTask2 {start + 3}" in told
    assert daily == [f"DailyTask {start + 60}"]
    assert [line for line in told if line not in ticks + daily and not line.startswith("SimpleTask2")] == [
        "Demanding 'LongTask'",
        "Stopping 'LongTask'",
        "proceed for LongTask=False isRunning=False",
        "Should not proceed: LongTask",
        "Deleting 'SimpleTask1'",
        "Waiting one minute for 'DailyTask'",
        "Calling stop",
        "Test Complete",
    ]


def test_webwares_own_test_case_of_the_scheduler_passes(stage: Stage) -> None:
    module = stage.run(webware_file("TaskKit/Tests/TestScheduler.py"), "TestScheduler")
    case = module.TaskKitTest("testSchedulerStarts")

    result = case.run()

    assert result.wasSuccessful()
    assert result.testsRun == 1


def test_webwares_own_session_task_sweeps_while_it_may(stage: Stage) -> None:
    module = stage.run(webware_file("Tasks/SessionTask.py"), "Tasks.SessionTask")
    swept: list[object] = []

    task = module.SessionTask(SimpleNamespace(cleanStaleSessions=swept.append))
    scheduler = webware.Scheduler(clock=stage.clock, capture=False)
    stage.schedulers.append(scheduler)
    scheduler.start()
    scheduler.addPeriodicAction(stage.clock.time() + 360, 360, task, "SessionSweeper")
    stage.sleep(3600)

    assert swept == [task] * 10
