from picows import WSListener, WSTransport

LONGEST_MESSAGE: int

class PayloadHandler:
    messages: int
    bytes_received: int
    last_message_ns: int
    last_control_ns: int
    def feed(self, payload: bytes) -> None: ...

class FrameReader:
    def __init__(
        self, websocket: WSTransport, handler: PayloadHandler, previous: object, maximum_frame: int = ...
    ) -> None: ...
    def feed(self, data: bytes) -> None: ...

class HandshakeListener(WSListener):
    handler: PayloadHandler
    def __init__(self, handler: PayloadHandler, on_lost: object) -> None: ...

def install(
    websocket: WSTransport, listener: HandshakeListener, read_buffer_size: int, urgent: bool = False
) -> FrameReader | None: ...
