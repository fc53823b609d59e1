"""The plugin as the core sees it."""

from uuid import UUID

from exchange_core.connector.auth import Credentials
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import Support, VenueContext
from exchange_core.connector.support import TERMS
from exchange_core.model.event import Channel
from kraken_futures import plugin
from kraken_futures.config import FuturesConfig
from kraken_futures.plugin import KRAKEN_FUTURES


def test_the_hook_offers_the_venue() -> None:
    assert list(plugin.venues()) == [KRAKEN_FUTURES]
    assert KRAKEN_FUTURES.name == "kraken_futures"


def test_every_part_can_be_made_without_credentials() -> None:
    context = VenueContext(
        venue="f", config=KRAKEN_FUTURES.config(), symbols=SymbolMap("f"), assets=AssetMap("f"), provisional=True
    )
    assert KRAKEN_FUTURES.dialect(context)
    assert KRAKEN_FUTURES.rest(context)
    assert KRAKEN_FUTURES.limits(context.config).limiters
    for feed in KRAKEN_FUTURES.feeds:
        feed.make(context).opened(0.0)
        assert hasattr(context.config, feed.url)


def test_channels_are_served_by_the_right_connection() -> None:
    for channel in (Channel.TICKER, Channel.TRADES, Channel.BOOK):
        feed = KRAKEN_FUTURES.feed_for(channel)
        assert feed is not None
        assert not feed.private
    for channel in (Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS):
        feed = KRAKEN_FUTURES.feed_for(channel)
        assert feed is not None
        assert feed.private
    assert KRAKEN_FUTURES.feed_for(Channel.CANDLES) is None


def test_books_come_whole() -> None:
    assert KRAKEN_FUTURES.book_depths == ()


def test_client_ids_are_uuids_and_differ() -> None:
    first, second = KRAKEN_FUTURES.client_order_id(1), KRAKEN_FUTURES.client_order_id(2**127)
    assert first != second
    assert UUID(first).version == 4
    assert len(first) == 36
    assert [KRAKEN_FUTURES.client_order_id(bits) for bits in (0, 2**128 - 1, 2**96 - 7)] == [
        str(UUID(int=bits, version=4)) for bits in (0, 2**128 - 1, 2**96 - 7)
    ]


def test_every_term_of_an_order_is_honoured_or_refused() -> None:
    refused = {"time_in_force.gtd", "quote_amount", "display_quantity", "leverage", "self_trade"}
    assert set(KRAKEN_FUTURES.support) == set(TERMS)
    assert {term for term, word in KRAKEN_FUTURES.support.items() if word == Support.REFUSED} == refused
    assert KRAKEN_FUTURES.terms is None


def test_a_signer_comes_from_credentials() -> None:
    assert KRAKEN_FUTURES.signer(Credentials(api_key="k", api_secret="YWJj"), FuturesConfig()).public_key == "k"
