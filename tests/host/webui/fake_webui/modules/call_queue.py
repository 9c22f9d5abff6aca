"""The WebUI's queue of jobs."""

import threading
from collections import deque


class Queue:
    """Hands itself on in the order in which it was asked for, and cannot be asked for with a time-out."""

    def __init__(self):
        self._lock = threading.Lock()
        self._held = False
        self._waiting = deque()

    def acquire(self, blocking=True):
        with self._lock:
            if not self._held:
                self._held = True
                return True
            if not blocking:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()
        return True

    def release(self):
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


queue_lock = Queue()
