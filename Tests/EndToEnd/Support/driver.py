"""The kill driver: runs a job as a process, kills it by SIGKILL at named points and at random moments, and has each kill judged."""

import collections
import os
import random
import subprocess

import checks


class KillDriver:
    """What is killed and what becomes of it is told by `restore`, `start` and `judge` of who inherits from this."""

    def __init__(self, run):
        self.run = run
        self.random = random.Random(int(os.environ.get("SEED", "20260105")))
        self.reached = collections.Counter()
        self.places = collections.Counter()

    def restore(self):
        """Brings everything back to what it was before the first run."""
        raise NotImplementedError

    def start(self, faults=None):
        """Starts the job, with faults at its named points; returns its process."""
        raise NotImplementedError

    def judge(self, what):
        """Runs the job again and compares. Returns where the kill landed."""
        raise NotImplementedError

    def kill_at(self, point, count):
        """Kills at the count-th time that the point is reached. Returns whether it was reached."""
        self.restore()
        process = self.start(f"{point}@{count}=kill")
        process.communicate()
        if not checks.was_killed(process.returncode):
            return False
        self.reached[point] += 1
        self.judge(f"at {point} the {count}. time")
        return True

    def kill_after(self, seconds):
        """Kills after a time. Returns the place, or nothing when the run was faster."""
        self.restore()
        process = self.start()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if not checks.was_killed(process.returncode):
            return None
        return self.judge(f"after {seconds:.3f} s")

    def at_points(self, points, each, times):
        """Kills `each` times at every point, spread over the `times` that a run reaches it."""
        for point in points:
            last = times.get(point, 1)
            for count in [1 + (index * last) // each % last for index in range(each)] if each > 1 else [max(1, last // 2)]:
                if not self.kill_at(point, count):
                    self.run.check(False, f"{point} is reached {count} times in a run")

    def at_random(self, kills, seconds):
        """Kills at so many random moments of a run that takes `seconds`."""
        longest = seconds
        landed = 0
        while landed < kills:
            place = self.kill_after(self.random.uniform(0, longest))
            if place is None:
                longest = max(longest * 0.97, seconds / 3)
            else:
                landed += 1
                self.places[place] += 1

    def report(self, told="what was left then said"):
        """Prints how many kills landed where."""
        print(f"\nkilled at {sum(self.reached.values())} named points:")
        for point, count in self.reached.items():
            print(f"  {count:4d}  {point}")
        print(f"killed at {sum(self.places.values())} random moments, {told}:")
        for place, count in self.places.most_common():
            print(f"  {count:4d}  {place}")
