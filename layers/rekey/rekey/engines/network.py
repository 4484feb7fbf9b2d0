"""From a host name to a connected socket, within one deadline.

``socket.create_connection`` has no limit for name resolution and counts its time-out anew for
each address, so an unreachable server could use up a function's whole time.
"""

import contextlib
import queue
import socket
import threading
from dataclasses import dataclass, field

from rekey.errors import DatabaseUnreachable
from rekey.model import Deadline

CONNECT_SECONDS = 10.0
"""More than any healthy server needs, and less than a function's time limit."""

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a socket that is connected to the first address that answers.

    Raises DatabaseUnreachable, which says at which of resolving and connecting it failed.
    """
    limit = deadline.at_most(CONNECT_SECONDS)
    addresses = _resolve(host, port, limit)
    reasons: list[str] = []
    for number, address in enumerate(addresses):
        share = limit.remaining() / (len(addresses) - number)
        if share <= 0:
            break
        try:
            return _open(address, share)
        except TimeoutError:
            reasons.append("no answer: a firewall, security group or route drops the packets")
        except ConnectionRefusedError:
            reasons.append("refused: nothing listens on that port")
        except OSError as error:
            reasons.append(error.strerror or type(error).__name__)
    raise DatabaseUnreachable(
        f"{host}:{port} cannot be reached ({'; '.join(dict.fromkeys(reasons)) or 'no time left'})."
    )


def _open(address: Address, seconds: float) -> socket.socket:
    family, target = address
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        opened.connect(target)
    except BaseException:
        opened.close()
        raise
    opened.settimeout(None)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _resolve(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Resolve in a thread of its own: getaddrinfo cannot be interrupted."""
    answers: queue.Queue[list[Address] | OSError | UnicodeError] = queue.Queue(1)

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(family, target) for family, _, _, _, target in found])  # type: ignore[misc]  # stubs admit bytes for builds without IPv6
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=max(deadline.remaining(), 0))
    except queue.Empty:
        answer = TimeoutError("the resolver does not answer")
    if isinstance(answer, list):
        return answer
    reason = getattr(answer, "strerror", None) or str(answer)
    raise DatabaseUnreachable(f"The host name {host} cannot be resolved ({reason}).")


@dataclass
class Watchdog:
    """Ends a connection when the deadline passes, whatever its owner is waiting for.

    A time-out on a socket counts anew with every packet; this one does not. It works on a
    duplicate of the socket, so that TLS may wrap the original.
    """

    duplicate: socket.socket
    deadline: Deadline
    expired: bool = field(default=False, init=False)
    _timer: threading.Timer | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Start to watch."""
        self.watch(self.deadline)

    def watch(self, deadline: Deadline) -> None:
        """Watch until ``deadline`` instead of the one before."""
        if self._timer is not None:
            self._timer.cancel()
        self.deadline = deadline
        self._timer = threading.Timer(max(deadline.remaining(), 0), self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        self.expired = True
        with contextlib.suppress(OSError):  # It ended by itself at the same moment.
            self.duplicate.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Stop watching. The watched socket stays open."""
        if self._timer is not None:
            self._timer.cancel()
        self.duplicate.close()
