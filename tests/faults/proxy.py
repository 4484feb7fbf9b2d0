"""A TCP proxy between function and server that breaks one connection at one place.

It passes bytes and knows no protocol. What it can count is whose turn it is: a turn begins when
the client sends after the server did, or first of all. So every request of every login is a turn,
the handshake's included. The end of a connection is none: nothing can be cut there. Each connection
counts its own: how the records of TLS fall into turns differs by one now and then.
"""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import TracebackType
from typing import NamedTuple, Self

HOST = "127.0.0.1"
CHUNK = 65_536
LATE = 0.5
"""Seconds: far less than a function has."""
HANDLED = 2.0
"""Seconds in which a server answers, or ends the connection; a login takes no longer."""
POLL = 0.01
TRIES = 20
"""Until a rotation has a place. Two of three may have no last turn of a connection."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: close() sends RST instead of FIN."""


class Turn(NamedTuple):
    """A turn of a connection; both count from 0."""

    connection: int
    number: int

    def __str__(self) -> str:
        """As it stands in the name of a place."""
        return f"{self.connection}.{self.number}"


@unique
class Cut(StrEnum):
    """What the network does, at a turn or, for the first two, at a connection."""

    NO_CONNECTION = "connect gets no answer"
    SILENT_FROM_THE_START = "connected, and then silence"
    BEFORE_REQUEST = "cut before the request"
    HALF_REQUEST = "half a request, then cut"
    BEFORE_REPLY = "request done, cut before the reply"
    HALF_REPLY = "half a reply, then cut"
    SILENT_REPLY = "request done, and then silence"
    LATE_REPLY = "a late reply"
    LATE_REQUEST = "a request that arrives when all is over"


AT_CONNECTIONS = (Cut.NO_CONNECTION, Cut.SILENT_FROM_THE_START)
AT_TURNS = tuple(cut for cut in Cut if cut not in AT_CONNECTIONS)
OF_A_REPLY = frozenset({Cut.BEFORE_REPLY, Cut.HALF_REPLY, Cut.SILENT_REPLY, Cut.LATE_REPLY})
SILENT = frozenset({*AT_CONNECTIONS, Cut.SILENT_REPLY, Cut.LATE_REQUEST})
"""Where only a time limit ends the wait. The server is not told either: its session stays open."""


@dataclass(eq=False)
class Talk:
    """A connection, and whose turn it is."""

    client: socket.socket
    turn: Turn
    """The last one; none has been yet where its number is -1."""
    client_spoke: bool = False


@dataclass
class Proxy:
    """Listens on a free port of the loopback address and passes all on to ``target``.

    From ``arm`` on it counts, connections that are open first; the turn, or the connection, ``at``
    meets the ``cut``, and everything after that passes.
    """

    target: tuple[str, int]
    struck: Callable[[], None] = lambda: None
    """Called at the place, when what came before has happened, and nothing after it."""
    cut: Cut | None = field(default=None, init=False)
    at: int | Turn = field(default=0, init=False)
    turns: set[Turn] = field(default_factory=set, init=False)
    answered: set[Turn] = field(default_factory=set, init=False)
    """Turns that got a reply: a goodbye gets none. A greeting belongs to no turn."""
    connections: int = field(default=0, init=False)
    fired: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Listen, but pass nothing on yet."""
        self._open: list[socket.socket] = []
        self._talking: list[Talk] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._held: tuple[socket.socket, bytes] | None = None
        # One waiting connection fills the queue: where nobody accepts, the next SYN is dropped.
        self._listener = socket.create_server((HOST, 0), backlog=0)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for opened in self._open:
            opened.close()

    def arm(self, cut: Cut | None, at: int | Turn = 0) -> None:
        """Count from here on, and cut there."""
        self.let_everything_pass()
        self.fired = False
        self._count_what_came_before(self._listener)
        with self._lock:
            self.turns, self.answered = set(), set()
            for number, talk in enumerate(self._talking):
                talk.turn = Turn(number, -1)
            self.connections = len(self._talking)
            self.cut, self.at = cut, at

    def let_everything_pass(self) -> None:
        """The trouble is over: what waits to connect gets through, and nothing is cut any more."""
        with self._lock:
            self.cut = None

    def deliver(self) -> None:
        """Let what was held reach the server, and wait for what it makes of it."""
        held, self._held = self._held, None
        if held is None:
            return
        server, data = held
        with contextlib.suppress(OSError):  # It has given the connection up.
            server.sendall(data)
            select.select([server], [], [], HANDLED)
        server.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            if self._meets(Cut.NO_CONNECTION, self.connections) or self._dropping():
                self._drop_who_connects()
            try:
                if not select.select([self._listener], [], [], POLL)[0]:
                    continue
                if self._meets(Cut.NO_CONNECTION, self.connections):
                    continue  # It waits in the queue.
                self._count_what_came_before()
                talk = self._take()
            except (OSError, ValueError):
                return
            if self._meets(Cut.SILENT_FROM_THE_START, talk.turn.connection):
                self._end(talk)
            else:
                threading.Thread(target=self._pass_on, args=(talk,), daemon=True).start()

    def _take(self) -> Talk:
        with self._lock:
            client, _ = self._listener.accept()
            talk = Talk(client, Turn(self.connections, -1))
            self.connections += 1
            self._open.append(client)
            self._talking.append(talk)
            return talk

    def _count_what_came_before(self, *besides: socket.socket) -> None:
        """Let the last words of earlier connections have their turns before what comes next.

        Who hears them is another thread, which may not have been woken up yet.
        """
        while not self._all_heard(*besides):
            self._closing.wait(POLL / 10)

    def _all_heard(self, *besides: socket.socket) -> bool:
        with self._lock:
            waiting = [*besides, *(talk.client for talk in self._talking)]
            over = self.fired or self._closing.is_set()
            return over or not select.select(waiting, [], [], 0)[0]

    def _dropping(self) -> bool:
        return self.fired and self.cut is Cut.NO_CONNECTION

    def _drop_who_connects(self) -> None:
        """Fill the queue of this listener until the trouble is over."""
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex((HOST, self.port))
        while self.cut is not None and not self._closing.wait(POLL):
            pass
        for one in waiting:
            one.close()

    def _pass_on(self, talk: Talk) -> None:
        try:
            server = socket.create_connection(self.target)
        except OSError:
            self._end(talk, talk.client)
            return
        self._open.append(server)
        for one in (server, talk.client):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, ValueError):  # One of the two ended it.
            self._listen_to_both(talk, server)
        self._end(talk, *(() if self._silent(talk.turn) else (talk.client, server)))

    def _listen_to_both(self, talk: Talk, server: socket.socket) -> None:
        client = talk.client
        while True:
            readable, _, _ = select.select([client, server], [], [])
            if client in readable:
                data = self._hear(talk)
                if not data or self._cut_request(talk.turn, data, client, server):
                    break
                server.sendall(data)
            elif server in readable:
                data = server.recv(CHUNK)
                talk.client_spoke = False
                self.answered.update({talk.turn} if data and talk.turn.number >= 0 else ())
                if not data or self._cut_reply(talk.turn, data, client, server):
                    break
                client.sendall(data)

    def _hear(self, talk: Talk) -> bytes:
        """What the client says. Whoever sees that nothing waits to be heard sees it counted."""
        with self._lock:
            data = talk.client.recv(CHUNK)
            if data and not talk.client_spoke:
                talk.turn, talk.client_spoke = talk.turn._replace(number=talk.turn.number + 1), True
                self.turns.add(talk.turn)
            return data

    def _end(self, talk: Talk, *closed: socket.socket) -> None:
        """Nobody listens any more; what is not closed is silent."""
        with self._lock:
            self._talking.remove(talk)
        for one in closed:
            one.close()

    def _meets(self, cut: Cut, place: int | Turn) -> bool:
        """Whether this is the place; from then on everything else passes."""
        with self._lock:
            if self.fired or self.cut is not cut or self.at != place:
                return False
            self.fired = True
            return True

    def _cut_request(
        self, turn: Turn, data: bytes, client: socket.socket, server: socket.socket
    ) -> bool:
        if self._meets(Cut.BEFORE_REQUEST, turn):
            self.struck()
        elif self._meets(Cut.HALF_REQUEST, turn):
            server.sendall(data[: len(data) // 2])
        elif self._meets(Cut.LATE_REQUEST, turn):
            self._held = server, data
            return True
        else:
            return False
        _reset(client, server)
        return True

    def _cut_reply(
        self, turn: Turn, data: bytes, client: socket.socket, server: socket.socket
    ) -> bool:
        if self._meets(Cut.SILENT_REPLY, turn):
            return True
        if self._meets(Cut.LATE_REPLY, turn):
            return self._closing.wait(LATE)
        if self._meets(Cut.BEFORE_REPLY, turn):
            self.struck()
        elif self._meets(Cut.HALF_REPLY, turn):
            client.sendall(data[: len(data) // 2])
        else:
            return False
        _reset(client, server)
        return True

    def _silent(self, turn: Turn) -> bool:
        silent = self.cut in (Cut.SILENT_REPLY, Cut.LATE_REQUEST)
        return self.fired and silent and self.at == turn


def _reset(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.close()
