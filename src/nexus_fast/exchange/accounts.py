"""What every venue's account type can say about itself."""

from nexus_fast.constants import AccountType, ExchangeType


class VenueAccountType(AccountType):
    """Base of the venues' account types. A venue overrides what is true of its own members."""

    @property
    def exchange(self) -> ExchangeType:
        raise NotImplementedError(f"{type(self).__name__} does not name its exchange")

    @property
    def exchange_id(self) -> str:
        return self.exchange.value

    @property
    def is_supported(self) -> bool:
        """Whether the engine can connect such an account at all."""
        return not self.is_mock

    @property
    def is_testnet(self) -> bool:
        return self.name.endswith(("_TESTNET", "_DEMO"))

    @property
    def is_spot(self) -> bool:
        return False

    @property
    def is_linear(self) -> bool:
        return False

    @property
    def is_inverse(self) -> bool:
        return False

    @property
    def is_mock(self) -> bool:
        return self.name.endswith("_MOCK")

    @property
    def is_spot_mock(self) -> bool:
        return self.name == "SPOT_MOCK"

    @property
    def is_linear_mock(self) -> bool:
        return self.name == "LINEAR_MOCK"

    @property
    def is_inverse_mock(self) -> bool:
        return self.name == "INVERSE_MOCK"

    @property
    def may_be_public(self) -> bool:
        """Whether it may stand in public_conn_config."""
        return self.is_supported

    @property
    def may_be_private(self) -> bool:
        """Whether it may stand in private_conn_config."""
        return self.is_supported
