"""The rules of a tick, on integers in one flat array('i'): the state array of a city.

Here: the offsets of the state array, and the rules that run every tick. Not here: the array's creation and a city's
birth (layout.py), arrivals, departures and taxes (city.py), time (clock.py). docs/economy.md states the same rules.

Money and prices are in mills, yields in mills of a unit. The same source runs as MicroPython viper, under numba and as
plain Python, with the same result to the bit: no intermediate value leaves 32 signed bits (tests/proofs/engines tests
that), and no number of the array is negative, because viper on a 64-bit machine reads the array's numbers as unsigned.

The array is a header and seven blocks, in the order of the constants below: a number per road; the odds table; a row
per good; for each good a column of all residents' prices; for each good a column of their asks; a record per local; a
record per merchant. Residents are numbered: first the locals, then the merchants.

Order and chance: a *walk* visits every number below a prime once, in random order: it starts at a random number and
adds a random step, modulo the prime.
"""

from deskonomy.compat import const, micropython, ptr32

# Header. Lengths and offsets are numbers of the array, not bytes.
LOCALS = const(0)  # number of locals
MERCHANTS = const(1)  # number of merchants
GOODS = const(2)  # number of goods
PLACES = const(3)  # number of cities whose prices a merchant's record has room for; place 0 is this city
SLOTS = const(4)  # length of a column: a prime, at least the number of residents
AT_ROADS = const(5)  # where the blocks begin
AT_ODDS = const(6)
AT_GOODS = const(7)
AT_PRICES = const(8)
AT_ASKS = const(9)
AT_LOCALS = const(10)
AT_MERCHANTS = const(11)
LOCAL_SIZE = const(12)  # length of a local's record
MERCHANT_SIZE = const(13)  # length of a merchant's record
GOOD_SIZE = const(14)  # length of a good's row
PRIME_LOCALS = const(15)  # find_prime() of the number of locals, merchants, residents, goods
PRIME_MERCHANTS = const(16)
PRIME_RESIDENTS = const(17)
PRIME_GOODS = const(18)
RANDOM_A = const(19)  # the random generator: two multiply-with-carry halves
RANDOM_B = const(20)
TICK = const(21)  # the low 30 bits
TICK_HIGH = const(22)
LEAVING = const(23)  # 1 + index of the last merchant that decided to leave, 0 for none; NEXT links the others
FALLBACK = const(24)  # the good that a merchant chooses when no good promises a profit
LEISURE_HALF = const(25)
LAST_ROAD = const(26)  # the highest place with an open road, 0 for none
WALK = const(27)  # HEARD numbers of residents: a merchant's walk, which run() goes through once for each good
HEADER_SIZE = const(59)  # WALK + HEARD

# Roads, AT_ROADS + place: 1 + the number of merchants that the road can still take, or CLOSED. Place 0 has no road.
CLOSED = const(0)

# Odds, AT_ODDS + n: 0.9 ** n in 1/32768 for n = 0 .. 32, the probability that n residents in a row do not act.
ODDS_SIZE = const(33)

# A good's row. NEEDS + n: how many units of good n one act of making takes.
HALF = const(0)  # the stock at which a further unit is worth half of the personal value
YIELD = const(1)  # mills of a unit that one act of making gives
BREAKS = const(2)  # 1 if it wears out in use
CRAFTED = const(3)  # 1 if it needs materials
MADE = const(4)  # units made, used and broken, modulo 2**30
USED = const(5)
BROKEN = const(6)
LOWEST = const(7)  # a lower bound of all asks of this good
NEEDS = const(8)

# Prices, AT_PRICES + good * SLOTS + resident: the price that the resident expects here.
# Asks, AT_ASKS + good * SLOTS + resident: the same price if the resident sells a unit now, else NEVER.

# A local's record. From LOCAL_ROWS on it has five rows, each with a number per good: stock, value, patience, buy_below,
# sell_from.
MONEY = const(0)
LEISURE = const(1)
LEISURE_VALUE = const(2)
REST = const(3)  # the worth of resting, as a price
LOCAL_ROWS = const(4)
# A merchant's record; MONEY as above. From FAR on a row of expected prices for each place but this city.
GOOD = const(1)  # the number of goods, if this city does not know the merchant's good
CAPACITY = const(2)
OWNED = const(3)
ROAD = const(4)  # the place that it leaves for, 0 while it stays
NEXT = const(5)  # LEAVING as it was when this merchant decided to leave
FAR = const(6)

MONEY_MAX = const(1_000_000_000)  # a million coins; a payment that would exceed it does not take place
STOCK_MAX = const(10_000)
NEVER = const(0x3FFFFFFF)
VALUE_MAX = const(0xFFFFF)  # personal values are below this (1,048 coins), so that products fit 32 bits
SAMPLE = const(64)  # the most residents that a buyer visits
HEARD = const(32)  # the most residents that a merchant hears: 0.9 ** 32 is 3 %, the weight of all the others
PATIENCE_MAX = const(10)
# In a city of NEAR residents or more, a walk takes short steps, which stay within a computer's cache. It is as random:
# its start is.
NEAR = const(1000)
STRIDE = const(15)

_WRAP = const(0x3FFFFFFF)
_PERCENT = const(328)  # 1 % of 32768, the range of half a draw
_MOVING_COST = const(1000)


def find_prime(least: int) -> int:
    """Return the smallest prime that is at least this, and at least 2."""
    number = max(2, least)
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor:
            divisor += 1
        else:
            number += 1
            divisor = 2
    return number


@micropython.viper
def appraise(state: object, local: int) -> object:
    """Write a local's buy_below and sell_from of every good, the worth of resting, and its asks.

    The rules compare a personal value v with a price p as v and p * 1000 / (money + 1). Here v becomes the price that
    equals it, v * (money + 1) / 1000, once for all comparisons until stocks or money change.
    """
    s = ptr32(state)
    goods = s[GOODS]
    record = s[AT_LOCALS] + local * s[LOCAL_SIZE]
    stocks = record + LOCAL_ROWS
    values = stocks + goods
    buy_below = values + goods + goods
    sell_from = buy_below + goods
    # (money + 1) / 1000 in 1 / (1 << scale), of at most 15 bits.
    wealth = (s[record + MONEY] // 125 + 8) * 128 // 125
    scale = 13
    while wealth >= 32768:
        wealth >>= 4
        scale -= 4
    row = s[AT_GOODS]
    price_at = s[AT_PRICES] + local
    ask_at = s[AT_ASKS] + local
    for good in range(goods + 1):
        if good < goods:
            stock = s[stocks + good]
            value = s[values + good]
            half = s[row + HALF]
        else:
            stock = s[record + LEISURE] + 1
            value = s[record + LEISURE_VALUE]
            half = s[LEISURE_HALF]
        for extra in range(2):
            # value / ((stock / half) ** 3 + 1), with the ratio in 1/2048, or in 1/16 where its cube is above 64
            if stock < half << 2:
                ratio = ((stock << 11) + (half >> 1)) // half
                price = (value << 11) // (((ratio * ratio >> 11) * ratio >> 11) + 2048)
            elif stock < half * 80:
                ratio = (stock << 4) // half
                price = value // ((ratio * ratio * ratio >> 12) + 1)
            else:
                price = 0
            if price < 65536:
                price = price * wealth >> scale
            else:
                price = (price >> 4) * wealth >> (scale - 4)
            if price > MONEY_MAX:
                price = MONEY_MAX
            if good == goods:
                s[record + REST] = price
                break
            if extra == 1:
                s[buy_below + good] = price
            else:
                price = price + 1 if stock > 0 else NEVER
                s[sell_from + good] = price
                if s[price_at] < price:
                    s[ask_at] = NEVER
                else:
                    s[ask_at] = s[price_at]
                    if s[row + LOWEST] > s[price_at]:
                        s[row + LOWEST] = s[price_at]
                stock += 1
        row += s[GOOD_SIZE]
        price_at += s[SLOTS]
        ask_at += s[SLOTS]


@micropython.viper
def pay_locals(state: object, share_mills: int) -> int:
    """Give this share to each local whose money stays within MONEY_MAX. Return the number of locals paid."""
    s = ptr32(state)
    paid = 0
    record = s[AT_LOCALS]
    for local in range(s[LOCALS]):
        if s[record + MONEY] <= MONEY_MAX - share_mills:
            s[record + MONEY] += share_mills
            appraise(state, local)
            paid += 1
        record += s[LOCAL_SIZE]
    return paid


@micropython.viper
def consider(state: object, merchant: int) -> int:
    """Find a merchant's best deals by its expected prices, and write its asks.

    Return the best place to sell its own good (0 for this city) + PLACES * the good with the best profit.
    """
    s = ptr32(state)
    goods = s[GOODS]
    after_roads = s[LAST_ROAD] + 1
    roads = s[AT_ROADS]
    record = s[AT_MERCHANTS] + merchant * s[MERCHANT_SIZE]
    price_at = s[AT_PRICES] + s[LOCALS] + merchant
    ask_at = s[AT_ASKS] + s[LOCALS] + merchant
    turn_to = s[FALLBACK]
    turn_profit = 0
    own_place = 0
    for good in range(goods):
        low = s[price_at]
        high = low
        best = 0
        far = record + FAR + good
        for place in range(1, after_roads):
            if s[roads + place] != CLOSED:
                price = s[far]
                if price > high:
                    high = price
                    best = place
                if price < low:
                    low = price
            far += goods
        profit = high - low - _MOVING_COST
        if profit <= 0:
            best = 0
        elif profit > turn_profit:
            turn_profit = profit
            turn_to = good
        s[ask_at] = NEVER
        if good == s[record + GOOD]:
            own_place = best
            if best == 0 and s[record + OWNED] > 0:
                s[ask_at] = s[price_at]
                s[s[AT_GOODS] + good * s[GOOD_SIZE] + LOWEST] = 0
        price_at += s[SLOTS]
        ask_at += s[SLOTS]
    return own_place + s[PLACES] * turn_to


@micropython.viper
def run(state: object, ticks: int) -> int:
    """Run up to this many ticks; stop after a tick in which a merchant decided to leave. Return the ticks run."""
    s = ptr32(state)
    locals_ = s[LOCALS]
    merchants = s[MERCHANTS]
    residents = locals_ + merchants
    goods = s[GOODS]
    places = s[PLACES]
    slots = s[SLOTS]
    at_roads = s[AT_ROADS]
    at_odds = s[AT_ODDS]
    at_goods = s[AT_GOODS]
    at_prices = s[AT_PRICES]
    at_asks = s[AT_ASKS]
    at_locals = s[AT_LOCALS]
    at_merchants = s[AT_MERCHANTS]
    local_size = s[LOCAL_SIZE]
    merchant_size = s[MERCHANT_SIZE]
    good_size = s[GOOD_SIZE]
    prime_locals = s[PRIME_LOCALS]
    prime_all = s[PRIME_RESIDENTS]
    prime_goods = s[PRIME_GOODS]
    locals_step = prime_locals - 1 if prime_locals < NEAR else STRIDE
    all_step = prime_all - 1 if prime_all < NEAR else STRIDE
    visits = prime_all if prime_all < SAMPLE else SAMPLE
    locals_visits = prime_locals if prime_locals < SAMPLE else SAMPLE
    hearings = prime_all - 1 if prime_all <= HEARD else HEARD
    odds_of_32 = s[at_odds + 32]
    # Offsets of a local's rows in its record.
    values = LOCAL_ROWS + goods
    patience = values + goods
    buy_below = patience + goods
    sell_from = buy_below + goods
    # A full draw is 30 bits: 14 of random_a above 16 of random_b; half a draw is 15 bits of random_a. A step of a half
    # multiplies its low 16 bits and adds its high ones. Both stay below 2**30, because CPython computes with such
    # integers twice as fast. The steps are written out, because a call costs more than a step.
    random_a = s[RANDOM_A]
    random_b = s[RANDOM_B]
    done = 0
    while done < ticks and s[LEAVING] == 0:
        done += 1
        tick = s[TICK] + 1
        if tick > _WRAP:
            tick = 0
            s[TICK_HIGH] += 1
        s[TICK] = tick

        phase = 0  # 0: the locals act; 1: the merchants act
        while phase < 2:
            count = locals_ if phase == 0 else merchants
            prime = s[PRIME_LOCALS + phase]
            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
            random_b = 15393 * (random_b & 65535) + (random_b >> 16)
            turn = (((random_a & 16383) << 16) | (random_b & 65535)) % prime
            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
            random_b = 15393 * (random_b & 65535) + (random_b >> 16)
            step = prime - 1 if prime < NEAR else STRIDE
            step = (((random_a & 16383) << 16) | (random_b & 65535)) % step + 1
            turns_left = prime if count > 0 else 0
            while turns_left > 0:
                # Each resident acts with probability 0.1. One draw gives the number of residents in a row that do not
                # act: the last entry of the odds table that is above the draw.
                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                draw = random_a & 32767
                skip = 0
                while draw < odds_of_32 and skip < 512:
                    skip += 32
                    random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                    draw = random_a & 32767
                odds = at_odds + 16
                odds += 8 if draw < s[odds] else -8
                odds += 4 if draw < s[odds] else -4
                odds += 2 if draw < s[odds] else -2
                odds += 1 if draw < s[odds] else -1
                if draw >= s[odds]:
                    odds -= 1
                skip += odds - at_odds
                if skip >= turns_left:
                    break
                turns_left -= skip + 1
                actor = (turn + skip * step) % prime
                turn = actor + step
                if turn >= prime:
                    turn -= prime
                if actor >= count:
                    continue
                # The walk of this resident's act, used wherever it visits or hears residents.
                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                walk_start = (((random_a & 16383) << 16) | (random_b & 65535)) % prime_all
                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                walk_step = (((random_a & 16383) << 16) | (random_b & 65535)) % all_step + 1

                if phase == 0:
                    local = at_locals + actor * local_size
                    stocks = local + LOCAL_ROWS
                    # 1. Goods wear out.
                    row = at_goods
                    for good in range(goods):
                        if s[row + BREAKS] != 0:
                            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                            if random_a & 32767 < _PERCENT and s[stocks + good] > 0:
                                s[stocks + good] -= 1
                                s[row + BROKEN] = (s[row + BROKEN] + 1) & _WRAP
                                appraise(state, actor)
                        row += good_size

                    # 2. The local makes what is worth most. A worth is a price: see appraise().
                    best = -1
                    best_worth = s[local + REST]
                    row = at_goods
                    price_at = at_prices + actor
                    for good in range(goods):
                        worth = s[price_at]
                        if worth < s[local + buy_below + good]:
                            worth = s[local + buy_below + good]
                        yield_mills = s[row + YIELD]
                        if yield_mills != 1000:
                            if worth < 65536 and yield_mills < 32768:
                                worth = worth * yield_mills // 1000
                            elif yield_mills > 0 and worth // 1000 >= MONEY_MAX // yield_mills:
                                worth = MONEY_MAX
                            else:
                                worth = worth // 1000 * yield_mills
                        if worth > best_worth and s[row + CRAFTED] != 0:
                            for material in range(goods):
                                need = s[row + NEEDS + material]
                                if need > 0:
                                    price = s[at_prices + material * slots + actor]
                                    if price < s[local + sell_from + material]:
                                        price = s[local + sell_from + material] - 1
                                    if s[stocks + material] <= need or price > worth // need:
                                        worth = 0
                                        break
                                    worth -= need * price
                        if worth > best_worth:
                            best_worth = worth
                            best = good
                        row += good_size
                        price_at += slots
                    if best < 0:
                        s[local + LEISURE] += 1
                        if s[local + LEISURE] > STOCK_MAX:
                            s[local + LEISURE] = STOCK_MAX
                    else:
                        s[local + LEISURE] = 0
                        row = at_goods + best * good_size
                        made = s[row + YIELD] // 1000
                        part = s[row + YIELD] % 1000
                        if part > 0:
                            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                            random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                            if (((random_a & 16383) << 16) | (random_b & 65535)) % 1000 < part:
                                made += 1
                        if made > STOCK_MAX - s[stocks + best]:
                            made = STOCK_MAX - s[stocks + best]
                        s[stocks + best] += made
                        s[row + MADE] = (s[row + MADE] + made) & _WRAP
                        if s[row + CRAFTED] != 0:
                            used = at_goods + USED
                            for material in range(goods):
                                need = s[row + NEEDS + material]
                                s[stocks + material] -= need
                                s[used] = (s[used] + need) & _WRAP
                                used += good_size
                    appraise(state, actor)

                    # 3. The local goes to market with each good, in random order.
                    random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                    random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                    good = (random_a & 32767) % prime_goods
                    good_step = (random_b & 65535) % (prime_goods - 1) + 1
                    for _ in range(prime_goods):
                        if good < goods:
                            row = at_goods + good * good_size
                            prices = at_prices + good * slots
                            asks = at_asks + good * slots
                            price = s[prices + actor]
                            volatility = s[local + values + good] // 50
                            if volatility == 0:
                                volatility = 1
                            # a. With probability 0.01 it hears a random resident's price.
                            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                            if random_a & 32767 < _PERCENT:
                                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                                random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                                heard = s[prices + (((random_a & 16383) << 16) | (random_b & 65535)) % residents]
                                if heard > price:
                                    price += volatility
                                elif heard < price:
                                    price -= volatility
                            # b. A buyer or seller loses patience.
                            money = s[local + MONEY]
                            buys = 1 if price < s[local + buy_below + good] and price <= money else 0
                            if buys != 0 or price >= s[local + sell_from + good]:
                                s[local + patience + good] += 1
                            # c. A buyer visits residents until an ask is at most the price that it expects.
                            if buys != 0 and s[row + LOWEST] <= price:
                                if visits == prime_all:
                                    s[row + LOWEST] = price + 1  # if the walk finds no seller
                                visited = walk_start
                                for _ in range(visits):
                                    if s[asks + visited] <= price:
                                        ask = s[asks + visited]
                                        s[row + LOWEST] = 0
                                        if visited < locals_:
                                            seller = at_locals + visited * local_size
                                        else:
                                            seller = at_merchants + (visited - locals_) * merchant_size
                                        if s[seller + MONEY] <= MONEY_MAX - ask and s[stocks + good] < STOCK_MAX:
                                            s[local + MONEY] = money - ask
                                            s[stocks + good] += 1
                                            s[local + patience + good] = 0
                                            price -= volatility
                                            s[seller + MONEY] += ask
                                            if visited < locals_:
                                                s[seller + LOCAL_ROWS + good] -= 1
                                                s[seller + patience + good] = 0
                                                seller_volatility = s[seller + values + good] // 50
                                                ask += seller_volatility if seller_volatility > 0 else 1
                                                s[prices + visited] = ask if ask < MONEY_MAX else MONEY_MAX
                                                appraise(state, visited)
                                            else:
                                                s[seller + OWNED] -= 1
                                                if s[seller + OWNED] == 0:
                                                    s[asks + visited] = NEVER
                                            appraise(state, actor)
                                            break
                                    visited += walk_step
                                    if visited >= prime_all:
                                        visited -= prime_all
                            # d. Without patience it changes its price.
                            if s[local + patience + good] > PATIENCE_MAX:
                                s[local + patience + good] = 0
                                price += volatility if buys != 0 else 0 - volatility
                            if price < 0:
                                price = 0
                            elif price > MONEY_MAX:
                                price = MONEY_MAX
                            s[prices + actor] = price
                            if price < s[local + sell_from + good]:
                                s[asks + actor] = NEVER
                            else:
                                s[asks + actor] = price
                                if s[row + LOWEST] > price:
                                    s[row + LOWEST] = price
                        good += good_step
                        if good >= prime_goods:
                            good -= prime_goods

                else:
                    merchant = at_merchants + actor * merchant_size
                    # 1. The merchant hears residents: its price moves a tenth of the way to the price of each.
                    resident = locals_ + actor  # this merchant's number
                    visited = walk_start
                    if prime_all < NEAR:
                        visited = resident  # a walk from itself visits all the others
                    heard = WALK
                    for _ in range(hearings):
                        visited += walk_step
                        if visited >= prime_all:
                            visited -= prime_all
                        if visited < residents:
                            s[heard] = visited
                            heard += 1
                    prices = at_prices
                    for _ in range(goods):
                        price = s[prices + resident] - 5  # rounds halves up
                        for walk in range(WALK, heard):
                            price += (s[prices + s[walk]] - price) // 10
                        s[prices + resident] = price + 5
                        prices += slots

                    # 2. The merchant compares its deals.
                    deals = int(consider(state, actor))
                    best = deals % places
                    turn_to = deals // places
                    road = 0
                    # 3. It buys a unit of its good that sells for more at the best place.
                    if best != 0 and s[merchant + OWNED] < s[merchant + CAPACITY]:
                        good = s[merchant + GOOD]
                        prices = at_prices + good * slots
                        asks = at_asks + good * slots
                        money = s[merchant + MONEY]
                        price = s[merchant + FAR + (best - 1) * goods + good] - 1
                        if price > money:
                            price = money
                        if price > s[prices + resident]:
                            price = s[prices + resident]
                        random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                        random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                        visited = (((random_a & 16383) << 16) | (random_b & 65535)) % prime_locals
                        random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                        random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                        walk_step = (((random_a & 16383) << 16) | (random_b & 65535)) % locals_step + 1
                        for _ in range(locals_visits):
                            if visited < locals_ and s[asks + visited] <= price:
                                ask = s[asks + visited]
                                seller = at_locals + visited * local_size
                                if s[seller + MONEY] <= MONEY_MAX - ask:
                                    s[merchant + MONEY] = money - ask
                                    s[merchant + OWNED] += 1
                                    s[seller + MONEY] += ask
                                    s[seller + LOCAL_ROWS + good] -= 1
                                    s[seller + patience + good] = 0
                                    seller_volatility = s[seller + values + good] // 50
                                    ask += seller_volatility if seller_volatility > 0 else 1
                                    s[prices + visited] = ask if ask < MONEY_MAX else MONEY_MAX
                                    appraise(state, visited)
                                    break
                            visited += walk_step
                            if visited >= prime_locals:
                                visited -= prime_locals
                    # 4. With probability 0.01 it leaves by a random road; 5. full, it leaves for the best place.
                    random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                    if random_a & 32767 < _PERCENT:
                        open_roads = 0
                        for place in range(1, s[LAST_ROAD] + 1):
                            if s[at_roads + place] != CLOSED:
                                open_roads += 1
                        if open_roads > 0:
                            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                            open_roads = (random_a & 32767) % open_roads
                            while open_roads >= 0:
                                road += 1
                                if s[at_roads + road] != CLOSED:
                                    open_roads -= 1
                    elif best != 0 and s[merchant + OWNED] >= s[merchant + CAPACITY]:
                        road = best
                    if road != 0 and s[at_roads + road] > 1:
                        s[at_roads + road] -= 1
                        s[merchant + ROAD] = road
                        s[merchant + NEXT] = s[LEAVING]
                        s[LEAVING] = actor + 1
                        asks = at_asks + resident
                        for _ in range(goods):
                            s[asks] = NEVER
                            asks += slots
                    elif s[merchant + OWNED] == 0:
                        # 6. It owns nothing: it chooses the good with the best profit.
                        s[merchant + GOOD] = turn_to
            phase += 1
    s[RANDOM_A] = random_a
    s[RANDOM_B] = random_b
    return done
