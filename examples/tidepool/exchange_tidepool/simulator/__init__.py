"""Tidepool's side of the wire, on top of the simulated exchange: for tests and trials without an account.

Requests and frames in, answers and frames out; matching, accounts and sockets are the core's.
"""

from decimal import Decimal

from exchange_core.connector.simulation import SimMarket, SimulatorSpec
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol
from exchange_tidepool.simulator.protocol import TidepoolProtocol

FEES = FeeRates(maker=Decimal("0.001"), taker=Decimal("0.002"))


def market(symbol: str, name: str, tick: str, lot: str, start_price: str) -> SimMarket:
    instrument = Instrument(
        symbol=Symbol.parse(symbol),
        venue_id=name,
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
        min_quantity=Decimal(lot),
    )
    return SimMarket(instrument=instrument, start_price=Decimal(start_price), fees=FEES)


TIDEPOOL = SimulatorSpec(
    section="tidepool",
    protocol=TidepoolProtocol,
    markets=(
        market("BTC/USD", "BTC-USD", tick="0.5", lot="0.0001", start_price="60000"),
        market("ETH/USD", "ETHER-USD", tick="0.05", lot="0.001", start_price="3000"),
    ),
    assets=(
        Asset(code="USD", venue_id="USD", decimals=4),
        Asset(code="BTC", venue_id="BTC", decimals=8),
        Asset(code="ETH", venue_id="ETHER", decimals=8),
    ),
    deposits={"USD": Decimal(100_000), "BTC": Decimal(2), "ETH": Decimal(20)},
    urls=lambda address: {"rest_url": f"http://{address}", "ws_url": f"ws://{address}/stream"},
    order_id=lambda random: f"T-{random.getrandbits(32):08x}",
    fill_id=lambda random: f"F-{random.getrandbits(32):08x}",
    secret=lambda random: f"{random.getrandbits(128):032x}",
)
