"""wss …/v5/private: after a login, topics about the account, all categories together or each for itself."""

from picows import WSCloseCode

from nexus_fast.sim.bybit.errors import VenueError
from nexus_fast.sim.bybit.private_events import CATEGORIES, DCP_TOPICS, is_topic
from nexus_fast.sim.bybit.sockets import Socket, request_id


class PrivateConnection(Socket):
    """One private connection."""

    kind = "user"

    def __init__(self, connections, exchange, idle_seconds):
        super().__init__(connections, exchange, idle_seconds)
        self.topics: dict[str, None] = {}

    def on_ws_disconnected(self, transport) -> None:
        super().on_ws_disconnected(transport)
        self.exchange.events.detach(self)

    def called(self, topic: str, category: str) -> str | None:
        """Under which name this connection has a topic; None when it has not."""
        if topic in self.topics:
            return topic
        name = f"{topic}.{category}"
        return name if name in self.topics else None

    @property
    def protected(self) -> list[str]:
        """The dcp topics that this connection keeps alive."""
        return [name for name in DCP_TOPICS if name in self.topics]

    # ---- requests

    def on_request(self, request: dict) -> None:
        op, name = request["op"], request_id(request)
        head = {"req_id": name} if name != "" else {}
        if op == "ping":
            self.answer({"req_id": name, "op": "pong", "args": [str(self.now())], "conn_id": self.identity})
        elif op == "auth":
            self._authenticate(request, head)
        elif op in ("subscribe", "unsubscribe"):
            self._subscribe(op, request, head)
        else:
            self.answer({"success": False, "ret_msg": "error:invalid op", "conn_id": self.identity, **head, "op": op[:64]})

    def _authenticate(self, request: dict, head: dict) -> None:
        try:
            self.log_in(request.get("args"))
        except VenueError as error:
            self.answer({"success": False, "ret_msg": error.text, "op": "auth", "conn_id": self.identity, **head,
                         "request": {"op": "auth"}})
            self.close(WSCloseCode.POLICY_VIOLATION, b"")
            return
        self.exchange.events.detach(self)
        self.exchange.events.attach(self)
        self.answer({"success": True, "ret_msg": "", "op": "auth", "conn_id": self.identity, **head})

    def _subscribe(self, op: str, request: dict, head: dict) -> None:
        problem = self._problem(op, request.get("args"))
        if problem:
            self.answer({"success": False, "ret_msg": problem, "op": op, "conn_id": self.identity, **head})
            return
        for topic in request["args"]:
            if op == "subscribe":
                self.topics[topic] = None
            else:
                self.topics.pop(topic, None)
        self.answer({"success": True, "ret_msg": "", "op": op, "conn_id": self.identity, **head})

    def _problem(self, op: str, topics) -> str:
        if self.account is None:
            return "Request not authorized"
        if not isinstance(topics, list) or not topics or not all(isinstance(topic, str) for topic in topics):
            return "Params Error"
        for topic in topics:
            if not is_topic(topic):
                return f"error:handler not found,topic:{topic[:64]}"
            if op == "subscribe" and self._mixed(topic, topics):
                return f"error:all-in-one and categorised topics cannot be mixed,topic:{topic[:64]}"
        return ""

    def _mixed(self, topic: str, wanted: list[str]) -> bool:
        """One topic cannot come both for all categories and for some."""
        head, _, category = topic.rpartition(".")
        present = [*self.topics, *wanted]
        if category in CATEGORIES and head in present:
            return True
        return any(f"{topic}.{each}" in present for each in CATEGORIES)
