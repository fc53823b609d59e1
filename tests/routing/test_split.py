"""The split is the optimum, and a plan keeps every rule, whatever the books are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exchange_core.errors import OrderRefused
from exchange_core.model.book import BookHealth
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Level
from exchange_core.model.order import OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.routing import Plan, ShortfallReason, VenueQuote, plan
from exchange_core.routing.offer import Offer, Unusable, make_offer
from exchange_core.routing.planner import MAX_AGE

NOW = datetime(2026, 10, 9, tzinfo=UTC)
D = Decimal

lots = st.sampled_from([D("0.1")])
mixed_lots = st.sampled_from([D("0.1"), D("0.3"), D("1")])
symbols = st.sampled_from(["BTC/USD", "BTC/USD:USD", "BTC/USD:BTC"])


@st.composite
def quotes(draw: st.DrawFn, symbol: str, lot: st.SearchStrategy[Decimal], venues: int = 3) -> list[VenueQuote]:
    made = []
    for at in range(draw(st.integers(1, venues))):
        size = draw(lot)
        steps = st.integers(1, 4).map(lambda count, size=size: count * size)
        prices = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True)
        # Bids below 10, asks above, in steps of one.
        bids = [Level(D(price), draw(steps)) for price in sorted(draw(prices), reverse=True)]
        asks = [Level(D(price + 10), draw(steps)) for price in sorted(draw(prices))]
        instrument = Instrument(
            symbol=Symbol.parse(symbol),
            venue_id="X",
            tick_size=D(1),
            lot_size=size,
            min_quantity=draw(st.integers(1, 4)) * size,
            min_cost=draw(st.sampled_from([None, D(2), D(8)])),
        )
        made.append(
            VenueQuote(
                venue="abc"[at],
                instrument=instrument,
                bids=bids,
                asks=asks,
                taker_fee=draw(st.sampled_from([D("-0.01"), D(0), D("0.001"), D("0.02"), D("0.3")])),
                health=BookHealth.LIVE,
                taken=NOW,
                free_base=draw(st.sampled_from([D("0.35"), D("0.8"), D(100)])),
                free_quote=draw(st.sampled_from([D(3), D("11.5"), D(1000)])),
            )
        )
    return made


requests = st.fixed_dictionaries(
    {
        "side": st.sampled_from(Side),
        "quantity": st.integers(1, 24).map(lambda tenths: D(tenths) / 10),
        "price": st.none() | st.integers(1, 19).map(D),
    }
)


def all_ways(offers: Sequence[Offer], quantity: Decimal) -> list[tuple[Fraction, Fraction]]:
    """Every allowed way: what is left unfilled, and its cost. The best is the least."""
    ways = []
    for counts in product(*(range(offer.capacity + 1) for offer in offers)):
        pairs = list(zip(offers, counts, strict=True))
        filled = sum((Fraction(offer.lot) * count for offer, count in pairs), Fraction(0))
        if filled <= Fraction(quantity) and all(offer.is_valid(count) for offer, count in pairs):
            ways.append((-filled, sum((offer.cost(count) for offer, count in pairs), Fraction(0))))
    return ways


def usable(request: OrderRequest, given_quotes: Sequence[VenueQuote]) -> list[Offer]:
    offers = []
    for quote in given_quotes:
        try:
            offers.append(make_offer(request, quote, NOW, MAX_AGE))
        except Unusable:
            continue
    return offers


def outcome(result: Plan, offers: Sequence[Offer]) -> tuple[Fraction, Fraction]:
    by_name = {offer.venue: offer for offer in offers}
    counts = {leg.venue: int(leg.quantity / by_name[leg.venue].lot) for leg in result.legs}
    cost = sum((by_name[venue].cost(count) for venue, count in counts.items()), Fraction(0))
    return (-Fraction(result.quantity), cost)


def try_plan(request: OrderRequest, given_quotes: Sequence[VenueQuote]) -> Plan | None:
    try:
        return plan(request, given_quotes, now=NOW)
    except OrderRefused:
        return None


@settings(max_examples=300, deadline=None)
@given(st.data(), symbols, requests)
def test_with_equal_lots_no_other_split_is_better(data: st.DataObject, symbol: str, wanted: dict[str, Any]) -> None:
    """Against all possible splits: none fills more, and none that fills as much costs less after fees."""
    given_quotes = data.draw(quotes(symbol, lots))
    request = OrderRequest(symbol=symbol, **wanted)
    # A sell may fall below a minimum cost again when it goes deeper; the planner then looks at the upper part only.
    assume(request.side is Side.BUY or all(quote.instrument.min_cost is None for quote in given_quotes))
    result, offers = try_plan(request, given_quotes), usable(request, given_quotes)
    best = min(all_ways(offers, request.quantity), default=(Fraction(0), Fraction(0)))
    assert (outcome(result, offers) if result else (Fraction(0), Fraction(0))) == best


@settings(max_examples=200, deadline=None)
@given(st.data(), symbols, requests)
def test_a_plan_keeps_every_rule(data: st.DataObject, symbol: str, wanted: dict[str, Any]) -> None:
    """With lots of any size: sums are exact; depth, limit, funds and minimums are kept; one venue is never better."""
    given_quotes = data.draw(quotes(symbol, mixed_lots))
    request = OrderRequest(symbol=symbol, **wanted)
    result = try_plan(request, given_quotes)
    offers = usable(request, given_quotes)
    if result is None:
        assert not any(offer.most(int(request.quantity / offer.lot)) for offer in offers)
        return
    assert result.quantity == sum(leg.quantity for leg in result.legs)
    assert result.quantity + result.unfilled == request.quantity
    assert Fraction(result.fees) == sum(Fraction(leg.fee) for leg in result.legs)
    by_name = {quote.venue: quote for quote in given_quotes}
    for leg in result.legs:
        keeps_rules(request, leg.request, by_name[leg.venue])
    for alone in result.alternatives:
        assert alone.quantity <= result.quantity
    if result.saving is not None:
        assert result.saving >= 0


@settings(max_examples=300, deadline=None)
@given(st.data(), symbols, requests)
def test_what_is_unfilled_has_a_reason_at_every_venue(data: st.DataObject, symbol: str, wanted: dict[str, Any]) -> None:
    """And the tightest reason at a venue is what its leg comes to, to less than a lot."""
    given_quotes = data.draw(quotes(symbol, mixed_lots))
    request = OrderRequest(symbol=symbol, **wanted)
    result, offers = try_plan(request, given_quotes), usable(request, given_quotes)
    if result is None:
        return
    if not result.unfilled:
        assert result.shortfalls == ()
        return
    legs = {leg.venue: leg.quantity for leg in result.legs}
    for offer in offers:
        mine = [shortfall for shortfall in result.shortfalls if shortfall.venue == offer.venue]
        assert mine, offer.venue
        assert 0 <= mine[0].available - legs.get(offer.venue, D(0)) < offer.lot
        assert [each.available for each in mine] == sorted(each.available for each in mine)
        free = [each.free for each in mine if each.reason is ShortfallReason.FREE_BALANCE]
        assert None not in free


def keeps_rules(request: OrderRequest, leg: OrderRequest, quote: VenueQuote) -> None:
    buys, price = request.side is Side.BUY, leg.price
    assert price is not None
    quote.instrument.check(leg)
    levels = quote.asks if buys else quote.bids
    inside = [level for level in levels if (level.price <= price if buys else level.price >= price)]
    assert leg.quantity <= sum(level.quantity for level in inside)
    if request.price is not None:
        assert price <= request.price if buys else price >= request.price
    if request.symbol.is_spot:
        assert quote.free_base is not None
        assert quote.free_quote is not None
        assert quote.taker_fee is not None
        if buys:
            assert leg.quantity * price * (1 + max(quote.taker_fee, D(0))) <= quote.free_quote
        else:
            assert leg.quantity <= quote.free_base


@settings(max_examples=300, deadline=None)
@given(st.data(), requests)
def test_with_unequal_lots_as_much_is_filled_as_can_be(data: st.DataObject, wanted: dict[str, Any]) -> None:
    """Two venues, one of lots ten times the other's, no minimums that bite."""
    fine, coarse = (data.draw(quotes("BTC/USD:USD", st.just(D(lot)), venues=1))[0] for lot in ("0.1", "1"))
    request = OrderRequest(symbol="BTC/USD:USD", **wanted)
    given_quotes = [
        VenueQuote(
            venue=name,
            instrument=Instrument(
                symbol=request.symbol, venue_id="X", tick_size=D(1), lot_size=D(lot), min_quantity=D(lot)
            ),
            bids=quote.bids,
            asks=quote.asks,
            taker_fee=quote.taker_fee,
            health=BookHealth.LIVE,
            taken=NOW,
        )
        for name, lot, quote in (("fine", "0.1", fine), ("coarse", "1", coarse))
    ]
    result, offers = try_plan(request, given_quotes), usable(request, given_quotes)
    best = min(all_ways(offers, request.quantity), default=(Fraction(0), Fraction(0)))
    assert (outcome(result, offers) if result else (Fraction(0), Fraction(0))) == best


def test_a_thousand_levels_are_planned_in_one_go() -> None:
    """Ten venues of a thousand levels each: branches and exchanges stay few."""
    instrument = Instrument(
        symbol=Symbol.parse("BTC/USD"), venue_id="X", tick_size=D("0.1"), lot_size=D("1e-8"), min_quantity=D("0.001")
    )
    given_quotes = [
        VenueQuote(
            venue=f"v{at}",
            instrument=instrument,
            bids=(),
            asks=[Level(D(60000) + D(step) / 10, D("0.01")) for step in range(1000)],
            taker_fee=D("0.001") + D(at) / 1_000_000,
            health=BookHealth.LIVE,
            taken=NOW,
            free_quote=D(10_000_000),
        )
        for at in range(10)
    ]
    result = plan(OrderRequest(symbol="BTC/USD", side="buy", quantity="7.77777777"), given_quotes, now=NOW)
    assert result.quantity == D("7.77777777")
    assert len(result.legs) == 10
