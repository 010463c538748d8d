"""wss …/v5/public/{spot,linear,inverse}: market data of one category."""

from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.public_channels import PublicChannels
from nexus_fast.sim.bybit.sockets import Socket, request_id

MOST_SPOT_ARGUMENTS = 10
LONGEST_ARGUMENTS = 21_000


class PublicConnection(Socket):
    """One public connection. The category's own forms of answers: spot names the op in `ret_msg`."""

    def __init__(self, connections, exchange, idle_seconds, channels: PublicChannels):
        super().__init__(connections, exchange, idle_seconds)
        self.channels = channels
        self.is_spot = channels.market.name == SPOT
        self.topics: dict[str, None] = {}

    def on_ws_disconnected(self, transport) -> None:
        super().on_ws_disconnected(transport)
        for topic in self.topics:
            self.channels.leave(topic, self)

    def on_request(self, request: dict) -> None:
        op, name = request["op"], request_id(request)
        if op == "ping":
            tail = {"req_id": name} if name != "" or not self.is_spot else {}
            self.answer({"success": True, "ret_msg": "pong", "conn_id": self.identity, **tail, "op": "ping"})
        elif op in ("subscribe", "unsubscribe"):
            self._subscribe(op, request.get("args"), name)
        else:
            self._refuse("error:invalid op", op[:64], name)

    def _refuse(self, text: str, op: str, name) -> None:
        self.answer({"success": False, "ret_msg": text, "conn_id": self.identity, "req_id": name, "op": op})

    def _subscribe(self, op: str, topics, name) -> None:
        problem = self._problem(op, topics)
        if problem:
            return self._refuse(problem, op, name)
        self.answer({"success": True, "ret_msg": op if self.is_spot else "", "conn_id": self.identity, "req_id": name,
                     "op": op})
        for topic in topics:
            if op == "unsubscribe":
                self.topics.pop(topic, None)
                self.channels.leave(topic, self)
            elif topic not in self.topics:
                self.topics[topic] = None
                self.channels.join(topic, self)
        return None

    def _problem(self, op: str, topics) -> str:
        """Why a request is refused as a whole; "" when it is not."""
        if not isinstance(topics, list) or not topics or not all(isinstance(topic, str) for topic in topics):
            return "Params Error"
        if self.is_spot and len(topics) > MOST_SPOT_ARGUMENTS:
            return "args size >10"
        if op == "subscribe" and sum(map(len, topics)) + sum(map(len, self.topics)) > LONGEST_ARGUMENTS:
            return "error:args length exceeds the limit"
        for topic in topics:
            problem = self.channels.problem(topic)
            if problem:
                return problem
            if op == "subscribe" and topic in self.topics:
                return f"error:already subscribed,topic:{topic}"
        return ""
