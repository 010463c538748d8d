from libc.stdlib cimport free, malloc
from libc.string cimport memset

from nexus_fast.core.memory cimport memory_give_back, memory_take
from nexus_fast.gateway.channel cimport Channel

from nexus_fast.order.budget cimport BUDGETS, Budget
from nexus_fast.order.gate cimport ANY_AGE, limits_set_notional, nx_int128, nx_limits

# No mantissa has more than 18 digits.
MOST = 10**18


cdef int64_t limit_mantissa(value, int scale) except -1:
    """A trader's limit as a mantissa, rounded down; what does not fit is the largest there is. None is 0: no limit."""
    return 0 if value is None else max(1, min(int(value.scaleb(scale)), MOST))


cdef class Route:
    """One row. `instrument` has the fields of nexus_fast.exchange.instrument.Instrument, `risk` is a RiskConfig or None; `budgets`
    are those that an order counts for, and those of a modification; fresh_ns: how old a quote may be for a limit that needs it."""

    def __init__(self, instrument, uint32_t symbol_id, uint8_t account, TemplateSet templates, channels, risk=None,
                 budgets=((), ()), int64_t fresh_ns=ANY_AGE):
        cdef Channel channel
        if not 0 < len(channels) <= ROUTE_CHANNELS:
            raise ValueError(f"a route takes 1 to {ROUTE_CHANNELS} channels; {len(channels)} were given for {instrument.symbol}")
        memset(&self.row, 0, sizeof(nx_route))
        self.keep = [templates, *channels, *budgets[0], *budgets[1]]
        self.row.symbol_id = symbol_id
        self.row.account = account
        self.row.trading = instrument.active
        self.row.price_scale = instrument.price_scale
        self.row.size_scale = instrument.size_scale
        for channel in channels:
            self.row.channels[self.row.channel_count] = channel.handle()
            self.row.channel_count += 1
        self.fill_templates(templates)
        self.fill_limits(instrument, risk, fresh_ns)
        self.fill_budgets(budgets[0], budgets[1])

    cdef fill_templates(self, TemplateSet templates):
        cdef uint8_t side, type, time_in_force, reduce_only
        for side in range(2):
            for type in range(3):
                for time_in_force in range(3):
                    for reduce_only in range(2):
                        self.row.place[route_shape(side, type, time_in_force, reduce_only)] = templates.place(
                            side, type, time_in_force, reduce_only)
            self.row.modify[side] = templates.modify(side)
        self.row.cancel = templates.cancel()

    cdef fill_limits(self, instrument, risk, int64_t fresh_ns):
        cdef nx_limits* limits = &self.row.limits
        limits.fresh_ns = fresh_ns
        limits.tick = instrument.tick_mantissa
        limits.minimum_price = instrument.min_price_mantissa
        limits.maximum_price = instrument.max_price_mantissa
        limits.lot = instrument.lot_mantissa
        limits.minimum_quantity = instrument.min_quantity_mantissa
        limits.maximum_quantity = instrument.max_quantity_mantissa
        limits.market_lot = instrument.market_lot_mantissa
        limits.market_minimum_quantity = instrument.market_min_quantity_mantissa
        limits.market_maximum_quantity = instrument.market_max_quantity_mantissa
        # An inverse contract's notional does not depend on its price: the venue's rule is about contracts then.
        if not instrument.is_inverse:
            set_notional(&limits.minimum_notional, instrument.min_notional, instrument)
        if risk is not None:
            limits.risk_maximum_quantity = limit_mantissa(most_contracts(instrument, risk), instrument.size_scale)
            if not instrument.is_inverse:
                set_notional(&limits.risk_maximum_notional, risk.max_notional, instrument)
            elif risk.max_notional is not None and risk.max_notional < instrument.contract_size:
                limits_set_notional(&limits.risk_maximum_notional, 0, 1)     # not one contract: nothing passes
            limits.risk_distance_ppm = limit_mantissa(risk.max_price_distance, 6)

    cdef fill_budgets(self, place, modify):
        cdef Budget budget
        cdef int i
        for found in (place, modify):
            if len(found) > BUDGETS:
                raise ValueError(f"a route takes {BUDGETS} budgets of one kind; {len(found)} were given")
        for i, budget in enumerate(place):
            self.row.place_budgets[i] = &budget.row
        for i, budget in enumerate(modify):
            self.row.modify_budgets[i] = &budget.row


cdef most_contracts(instrument, risk):
    """The trader's limit of quantity; an inverse contract has a fixed notional, whose limit is one of quantity too."""
    if not instrument.is_inverse or risk.max_notional is None:
        return risk.max_quantity
    contracts = risk.max_notional / instrument.contract_size
    return contracts if risk.max_quantity is None else min(contracts, risk.max_quantity)


cdef set_notional(nx_int128* target, value, instrument):
    """Notional = price x quantity x contract size; the gate multiplies the first two."""
    if value is None:
        limits_set_notional(target, 0, 0)
        return
    whole = int((value / (instrument.contract_size or 1)).scaleb(instrument.price_scale + instrument.size_scale))
    whole = min(whole, 2**126)
    limits_set_notional(target, whole >> 64, whole & 0xFFFFFFFFFFFFFFFF)


cdef class RouteTable:
    """`symbols` x `accounts` rows, filled one by one as symbols come into use."""

    def __cinit__(self, Py_ssize_t symbols, Py_ssize_t accounts):
        self.symbols = symbols
        self.accounts = accounts
        self.rows = <nx_route*>memory_take(symbols * accounts * sizeof(nx_route))
        self.default_account = <uint8_t*>malloc(max(symbols, 1))
        if self.rows == NULL or self.default_account == NULL:
            raise MemoryError(f"no memory for the routes of {symbols} symbols and {accounts} accounts")
        memset(self.default_account, NO_ACCOUNT, max(symbols, 1))
        self.kept = {}

    def __dealloc__(self):
        memory_give_back(self.rows, self.symbols * self.accounts * sizeof(nx_route))
        free(self.default_account)

    def set_default(self, uint32_t symbol_id, uint8_t account):
        """The account that a symbol's orders take without account_type=."""
        self.default_account[symbol_id] = account

    def default(self, uint32_t symbol_id):
        account = self.default_account[symbol_id]
        return None if account == NO_ACCOUNT else account

    def add(self, Route route):
        cdef Py_ssize_t at = route.row.symbol_id * self.accounts + route.row.account
        self.kept[at] = route
        self.rows[at] = route.row

    def has(self, uint32_t symbol_id, uint8_t account):
        return self.find(symbol_id, account) != NULL
