"""Tidepool's plugin: the venue as a VenueSpec, and the one hook that brings it."""

from functools import partial

from exchange_core.connector.spec import FeedSpec, Support, VenueSpec
from exchange_core.hookspecs import hookimpl
from exchange_tidepool import feed, naming, simulator
from exchange_tidepool.auth import TidepoolSigner
from exchange_tidepool.config import TidepoolConfig
from exchange_tidepool.dialect import TidepoolDialect
from exchange_tidepool.limits import limits
from exchange_tidepool.rest import TidepoolRest

TIDEPOOL = VenueSpec(
    name="tidepool",
    title="Tidepool",
    config=TidepoolConfig,
    dialect=TidepoolDialect,
    signer=lambda credentials, _: TidepoolSigner(credentials),
    limits=limits,
    rest=TidepoolRest,
    feeds=(
        FeedSpec(name="public", url="ws_url", channels=naming.PUBLIC, make=feed.TidepoolFeed),
        FeedSpec(
            name="private",
            url="ws_url",
            channels=naming.PRIVATE,
            make=partial(feed.TidepoolFeed, private=True),
            private=True,
        ),
    ),
    client_order_id="{:032x}".format,
    support={
        "type": Support.HONOURED,
        "time_in_force": Support.HONOURED,  # gtc and ioc; fok is refused
        "client_order_id": Support.HONOURED,
        "deadline": Support.HONOURED,
        "post_only": Support.HONOURED,
        "reduce_only": Support.REFUSED,
    },
    simulator=simulator.TIDEPOOL,
)


@hookimpl
def venues() -> list[VenueSpec]:
    return [TIDEPOOL]
