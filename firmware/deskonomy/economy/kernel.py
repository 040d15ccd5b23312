"""The hot loop: one tick of a city, on integers in one flat array('i').

Here: the layout of the array and the rules that run every tick. Not here: births, arrivals, taxes, names, time.
Money and prices are mills, yields are mills of a unit. The same source runs as MicroPython viper, as numba, and as
plain Python, with the same bits everywhere, since no intermediate value leaves 32 signed bits (tests/engines proves it)
and no word of the array is ever negative (viper on a 64-bit machine reads words as unsigned).

The array: a header, a word a road, the odds table, a row a good, for each good a column of everybody's prices and
one of everybody's asks (residents are numbered: the locals, then the merchants), a record a local, one a merchant.
Order and chance: a *walk* meets everybody once in random order, by a random step around a prime number of places.
"""

from deskonomy.compat import const, micropython, ptr32

# The header.
LOCALS = const(0)  # how many
MERCHANTS = const(1)  # how many
GOODS = const(2)  # how many
PLACES = const(3)  # cities whose prices a merchant keeps in its record; place 0 is here
SLOTS = const(4)  # length of a column: a prime that has room for every resident
AT_ROADS = const(5)  # where things begin, in words
AT_ODDS = const(6)
AT_GOODS = const(7)
AT_PRICES = const(8)
AT_ASKS = const(9)
AT_LOCALS = const(10)
AT_MERCHANTS = const(11)
LOCAL_WORDS = const(12)  # length of a record
MERCHANT_WORDS = const(13)
GOOD_WORDS = const(14)
PRIME_LOCALS = const(15)  # smallest primes >= 2 and >= the number of locals, merchants, residents, goods
PRIME_MERCHANTS = const(16)
PRIME_RESIDENTS = const(17)
PRIME_GOODS = const(18)
RANDOM_A = const(19)  # the generator: two multiply-with-carry halves
RANDOM_B = const(20)
TICK = const(21)  # low 30 bits
TICK_HIGH = const(22)
LEAVING = const(23)  # 1 + the last merchant to decide to leave, 0 for none; NEXT leads to the others
FALLBACK = const(24)  # the good a merchant turns to when none promises a profit
LEISURE_HALF = const(25)
LAST_ROAD = const(26)  # the last place that a road is open to, 0 for none
WALK = const(27)  # from here on whom a merchant hears, as run() goes through them for each good
HEADER_WORDS = const(59)  # WALK + HEARD

# AT_ROADS + place: 1 + the merchants that the road can still take, CLOSED without a road. Place 0, here, is none.
CLOSED = const(0)

# AT_ODDS + k: 0.9 ** k in 1/32768, k = 0 .. 32: the odds that k residents in a row do not act.
ODDS_WORDS = const(33)

# A good's row; NEEDS + k is how many of good k one act of making takes.
HALF = const(0)
YIELD = const(1)  # mills of a unit that one act of making gives
BREAKS = const(2)
CRAFTED = const(3)  # 1 if it needs anything
MADE = const(4)  # these three count modulo 2**30
USED = const(5)
BROKEN = const(6)
LOWEST = const(7)  # no ask is below this; it may lie too low
NEEDS = const(8)

# AT_PRICES + good * SLOTS + resident: the price it expects here.
# AT_ASKS + good * SLOTS + resident: that price if it sells one now, else NEVER.

# A local's record; from LOCAL_ROWS on a row of goods each: STOCK, VALUE, PATIENCE, BUY_BELOW, SELL_FROM.
MONEY = const(0)
LEISURE = const(1)
LEISURE_VALUE = const(2)
REST = const(3)  # what resting is worth
LOCAL_ROWS = const(4)
# A merchant's record; from FAR on the prices it expects elsewhere, a row of goods for each place but here.
GOOD = const(1)  # GOODS: one that this city does not know
CAPACITY = const(2)
OWNED = const(3)
ROAD = const(4)  # the place that it is leaving for, 0 while it stays
NEXT = const(5)
FAR = const(6)

MONEY_MAX = const(1_000_000_000)  # a million coins; nobody takes a mill more
STOCK_MAX = const(10_000)
NEVER = const(0x3FFFFFFF)
VALUE_MAX = const(0xFFFFF)  # personal values are below this (1,048 coins), so that a product fits
SAMPLE = const(64)  # residents whom a buyer visits at most
HEARD = const(32)  # residents whom a merchant hears: 0.9 ** 32 has forgotten the rest
PATIENCE_MAX = const(10)
# In a city beyond a computer's cache walks take short steps: whom one meets is as random, since where they start is.
NEAR = const(1000)
STRIDE = const(15)

_WRAP = const(0x3FFFFFFF)
_PERCENT = const(328)  # 0.01 of the 32768 values of half a draw
_MOVING_COST = const(1000)


@micropython.viper
def appraise(state, local: int):
    """Put down what a local would pay for, and sell for, one more or one less of everything, and what it asks.

    A personal value v and a price p compare as v and p * 1000 / (money + 1). Here v is turned into the price that
    equals it, v * (money + 1) / 1000, once for all the comparisons until stocks or money change again.
    """
    s = ptr32(state)
    goods = s[GOODS]
    record = s[AT_LOCALS] + local * s[LOCAL_WORDS]
    stocks = record + LOCAL_ROWS
    values = stocks + goods
    buy_below = values + goods + goods
    sell_from = buy_below + goods
    # 8192, or 1 << scale, stands for 999 coins; at most 15 bits.
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
        for more in range(2):
            # value / ((stock / half) ** 3 + 1), with the ratio in 1/2048, or in 1/16 where the cube is above 64
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
            if more == 1:
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
        row += s[GOOD_WORDS]
        price_at += s[SLOTS]
        ask_at += s[SLOTS]


@micropython.viper
def pay_locals(state, share_mills: int) -> int:
    """Give each local this share, where it fits below MONEY_MAX. Returns how many got it."""
    s = ptr32(state)
    paid = 0
    record = s[AT_LOCALS]
    for local in range(s[LOCALS]):
        if s[record + MONEY] <= MONEY_MAX - share_mills:
            s[record + MONEY] += share_mills
            appraise(state, local)
            paid += 1
        record += s[LOCAL_WORDS]
    return paid


@micropython.viper
def consider(state, merchant: int) -> int:
    """Find a merchant's best deals by its expected prices, and put down whether it sells here.

    Returns the best place for its own good + PLACES * the good with the best profit.
    """
    s = ptr32(state)
    goods = s[GOODS]
    after_roads = s[LAST_ROAD] + 1
    roads = s[AT_ROADS]
    record = s[AT_MERCHANTS] + merchant * s[MERCHANT_WORDS]
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
                s[s[AT_GOODS] + good * s[GOOD_WORDS] + LOWEST] = 0
        price_at += s[SLOTS]
        ask_at += s[SLOTS]
    return own_place + s[PLACES] * turn_to


@micropython.viper
def run(state, ticks: int) -> int:
    """Run up to so many ticks; stop after one in which a merchant decided to leave. Returns the ticks run."""
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
    local_words = s[LOCAL_WORDS]
    merchant_words = s[MERCHANT_WORDS]
    good_words = s[GOOD_WORDS]
    prime_locals = s[PRIME_LOCALS]
    prime_all = s[PRIME_RESIDENTS]
    prime_goods = s[PRIME_GOODS]
    locals_step = prime_locals - 1 if prime_locals < NEAR else STRIDE
    all_step = prime_all - 1 if prime_all < NEAR else STRIDE
    visits = prime_all if prime_all < SAMPLE else SAMPLE
    locals_visits = prime_locals if prime_locals < SAMPLE else SAMPLE
    hearings = prime_all - 1 if prime_all <= HEARD else HEARD
    odds_of_32 = s[at_odds + 32]
    # From a local's record to its rows.
    values = LOCAL_ROWS + goods
    patience = values + goods
    buy_below = patience + goods
    sell_from = buy_below + goods
    # A draw is 30 bits: random_a = 15633 * low half + high half, random_b likewise with 15393, a's 14 bits over b's 16.
    # Both stay below 2**30: CPython computes with such integers twice as fast.
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

        phase = 0  # the locals act, then the merchants
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
                # Who acts next: each acts with odds of 0.1, so skip as many as fail in a row.
                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                draw = random_a & 32767
                skip = 0
                while draw < odds_of_32 and skip < 512:
                    skip += 32
                    random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                    draw = random_a & 32767
                k = at_odds + 16
                k += 8 if draw < s[k] else -8
                k += 4 if draw < s[k] else -4
                k += 2 if draw < s[k] else -2
                k += 1 if draw < s[k] else -1
                if draw >= s[k]:
                    k -= 1
                skip += k - at_odds
                if skip >= turns_left:
                    break
                turns_left -= skip + 1
                actor = (turn + skip * step) % prime
                turn = actor + step
                if turn >= prime:
                    turn -= prime
                if actor >= count:
                    continue
                # The walk of this turn, for all that takes one.
                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                first = (((random_a & 16383) << 16) | (random_b & 65535)) % prime_all
                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                who_step = (((random_a & 16383) << 16) | (random_b & 65535)) % all_step + 1

                if phase == 0:
                    local = at_locals + actor * local_words
                    stocks = local + LOCAL_ROWS
                    # 1. Things break.
                    row = at_goods
                    for good in range(goods):
                        if s[row + BREAKS] != 0:
                            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                            if random_a & 32767 < _PERCENT and s[stocks + good] > 0:
                                s[stocks + good] -= 1
                                s[row + BROKEN] = (s[row + BROKEN] + 1) & _WRAP
                                appraise(state, actor)
                        row += good_words

                    # 2. It makes what is worth the most; every worth is a price, see appraise().
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
                            for k in range(goods):
                                need = s[row + NEEDS + k]
                                if need > 0:
                                    price = s[at_prices + k * slots + actor]
                                    if price < s[local + sell_from + k]:
                                        price = s[local + sell_from + k] - 1
                                    if s[stocks + k] <= need or price > worth // need:
                                        worth = 0
                                        break
                                    worth -= need * price
                        if worth > best_worth:
                            best_worth = worth
                            best = good
                        row += good_words
                        price_at += slots
                    if best < 0:
                        s[local + LEISURE] += 1
                        if s[local + LEISURE] > STOCK_MAX:
                            s[local + LEISURE] = STOCK_MAX
                    else:
                        s[local + LEISURE] = 0
                        row = at_goods + best * good_words
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
                            for k in range(goods):
                                need = s[row + NEEDS + k]
                                s[stocks + k] -= need
                                s[used] = (s[used] + need) & _WRAP
                                used += good_words
                    appraise(state, actor)

                    # 3. It takes each good to market, in random order.
                    random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                    random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                    good = (random_a & 32767) % prime_goods
                    good_step = (random_b & 65535) % (prime_goods - 1) + 1
                    for _ in range(prime_goods):
                        if good < goods:
                            row = at_goods + good * good_words
                            prices = at_prices + good * slots
                            asks = at_asks + good * slots
                            price = s[prices + actor]
                            volatility = s[local + values + good] // 50
                            if volatility == 0:
                                volatility = 1
                            # a. It hears somebody's price.
                            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                            if random_a & 32767 < _PERCENT:
                                random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                                random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                                heard = s[prices + (((random_a & 16383) << 16) | (random_b & 65535)) % residents]
                                if heard > price:
                                    price += volatility
                                elif heard < price:
                                    price -= volatility
                            # b. It grows impatient.
                            money = s[local + MONEY]
                            buys = 1 if price < s[local + buy_below + good] and price <= money else 0
                            if buys != 0 or price >= s[local + sell_from + good]:
                                s[local + patience + good] += 1
                            # c. A buyer visits others until one asks no more than it expects.
                            if buys != 0 and s[row + LOWEST] <= price:
                                if visits == prime_all:
                                    s[row + LOWEST] = price + 1  # unless somebody is found
                                who = first
                                for _ in range(visits):
                                    if s[asks + who] <= price:
                                        ask = s[asks + who]
                                        s[row + LOWEST] = 0
                                        if who < locals_:
                                            seller = at_locals + who * local_words
                                        else:
                                            seller = at_merchants + (who - locals_) * merchant_words
                                        if s[seller + MONEY] <= MONEY_MAX - ask and s[stocks + good] < STOCK_MAX:
                                            s[local + MONEY] = money - ask
                                            s[stocks + good] += 1
                                            s[local + patience + good] = 0
                                            price -= volatility
                                            s[seller + MONEY] += ask
                                            if who < locals_:
                                                s[seller + LOCAL_ROWS + good] -= 1
                                                s[seller + patience + good] = 0
                                                made = s[seller + values + good] // 50
                                                ask += made if made > 0 else 1
                                                s[prices + who] = ask if ask < MONEY_MAX else MONEY_MAX
                                                appraise(state, who)
                                            else:
                                                s[seller + OWNED] -= 1
                                                if s[seller + OWNED] == 0:
                                                    s[asks + who] = NEVER
                                            appraise(state, actor)
                                            break
                                    who += who_step
                                    if who >= prime_all:
                                        who -= prime_all
                            # d. Out of patience, it moves its price.
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
                    merchant = at_merchants + actor * merchant_words
                    # 1. It hears the residents: its price moves a tenth of the way to each one's.
                    me = locals_ + actor
                    if prime_all < NEAR:
                        first = me  # a walk from itself meets all the others
                    heard = WALK
                    for _ in range(hearings):
                        first += who_step
                        if first >= prime_all:
                            first -= prime_all
                        if first < residents:
                            s[heard] = first
                            heard += 1
                    prices = at_prices
                    for _ in range(goods):
                        price = s[prices + me] - 5  # so that halves are rounded up
                        for k in range(WALK, heard):
                            price += (s[prices + s[k]] - price) // 10
                        s[prices + me] = price + 5
                        prices += slots

                    # 2. It weighs its deals.
                    k = int(consider(state, actor))
                    best = k % places
                    turn_to = k // places
                    road = 0
                    # 3. It buys what sells for more elsewhere.
                    if best != 0 and s[merchant + OWNED] < s[merchant + CAPACITY]:
                        good = s[merchant + GOOD]
                        prices = at_prices + good * slots
                        asks = at_asks + good * slots
                        money = s[merchant + MONEY]
                        price = s[merchant + FAR + (best - 1) * goods + good] - 1
                        if price > money:
                            price = money
                        if price > s[prices + me]:
                            price = s[prices + me]
                        random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                        random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                        who = (((random_a & 16383) << 16) | (random_b & 65535)) % prime_locals
                        random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                        random_b = 15393 * (random_b & 65535) + (random_b >> 16)
                        who_step = (((random_a & 16383) << 16) | (random_b & 65535)) % locals_step + 1
                        for _ in range(locals_visits):
                            if who < locals_ and s[asks + who] <= price:
                                ask = s[asks + who]
                                seller = at_locals + who * local_words
                                if s[seller + MONEY] <= MONEY_MAX - ask:
                                    s[merchant + MONEY] = money - ask
                                    s[merchant + OWNED] += 1
                                    s[seller + MONEY] += ask
                                    s[seller + LOCAL_ROWS + good] -= 1
                                    s[seller + patience + good] = 0
                                    made = s[seller + values + good] // 50
                                    ask += made if made > 0 else 1
                                    s[prices + who] = ask if ask < MONEY_MAX else MONEY_MAX
                                    appraise(state, who)
                                    break
                            who += who_step
                            if who >= prime_locals:
                                who -= prime_locals
                    # 4. Now and then it just leaves; 5. full, it leaves for the best place.
                    random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                    if random_a & 32767 < _PERCENT:
                        k = 0
                        for place in range(1, s[LAST_ROAD] + 1):
                            if s[at_roads + place] != CLOSED:
                                k += 1
                        if k > 0:
                            random_a = 15633 * (random_a & 65535) + (random_a >> 16)
                            k = (random_a & 32767) % k
                            while k >= 0:
                                road += 1
                                if s[at_roads + road] != CLOSED:
                                    k -= 1
                    elif best != 0 and s[merchant + OWNED] >= s[merchant + CAPACITY]:
                        road = best
                    if road != 0 and s[at_roads + road] > 1:
                        s[at_roads + road] -= 1
                        s[merchant + ROAD] = road
                        s[merchant + NEXT] = s[LEAVING]
                        s[LEAVING] = actor + 1
                        asks = at_asks + me
                        for _ in range(goods):
                            s[asks] = NEVER
                            asks += slots
                    elif s[merchant + OWNED] == 0:
                        # 6. With nothing to sell it turns to the best good.
                        s[merchant + GOOD] = turn_to
            phase += 1
    s[RANDOM_A] = random_a
    s[RANDOM_B] = random_b
    return done
