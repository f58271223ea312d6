"""The fault proxy of HeadraceTesting (`headrace-fault-proxy`) between the program and a server."""

import os
import subprocess
import sys

import checks


def program():
    """Beside the program under test, else the newer of the release and the debug build."""
    folders = [os.path.dirname(checks.binary())] + [os.path.join(checks.ROOT, ".build", kind) for kind in ("debug", "release")]
    for folder in folders:
        path = os.path.join(folder, "headrace-fault-proxy")
        if os.path.exists(path):
            return path
    sys.exit("the fault proxy is not built: run `swift build --product headrace-fault-proxy` first")


class Proxy:
    """Listens on `port` until `stop`; what it does is the script of the last `play`, nothing at first."""

    def __init__(self, upstream):
        # pylint: disable=consider-using-with  # it ends with its input
        self.process = subprocess.Popen([program(), upstream], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def ask(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise RuntimeError(f"{order}: {answer}")
        return answer

    def numbers(self, order):
        return {name: int(value) for name, value in (word.split("=") for word in self.ask(order).split())}

    def play(self, script=""):
        """Ends what is open and counts anew; rules are those of FaultScript."""
        self.ask(f"play {script}")

    def counts(self):
        return self.numbers("counts")

    def wait(self, what, count=1, seconds=30):
        """Waits until so many rules have acted (`fired`) or directions are held that something came for (`waiting`)."""
        return self.numbers(f"wait {what} {count} {int(seconds * 1000)}")[what] >= count

    def release(self):
        self.ask("release")

    def cut(self):
        self.ask("cut")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
