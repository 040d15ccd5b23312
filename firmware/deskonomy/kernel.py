"""The hot loop: one tick of a city, on integers in one flat array('i').

Here: the layout of the array and the rules that run every tick. Not here: births, arrivals, taxes, names, time.
Money and prices are mills, yields are mills of a unit. The same source runs as MicroPython viper, as numba, and as plain
Python, with the same bits everywhere, since no intermediate value leaves 32 signed bits (tests/core proves it) and no
word of the array is ever negative (viper on a 64-bit machine reads words as unsigned).

The array: a header, a row a road, the odds table, a row a good, a record a local, a record a merchant.
Both kinds of record begin alike (MONEY, then PRICE and SELL_FROM a good), so that a market need not know who is who.
Order and chance: a *walk* meets everybody once in random order, by a random step around a prime number of places.
"""

from .compat import const, micropython, ptr32  # noqa: F401 - viper knows ptr32 by itself

# The header.
LOCALS = const(0)  # how many
MERCHANTS = const(1)  # how many
GOODS = const(2)  # how many
PLACES = const(3)  # columns of prices that a merchant keeps; 0 is here
AT_ROADS = const(4)  # where things begin, in words
AT_ODDS = const(5)
AT_GOODS = const(6)
AT_LOCALS = const(7)
AT_MERCHANTS = const(8)
LOCAL_WORDS = const(9)  # length of a record
MERCHANT_WORDS = const(10)
GOOD_WORDS = const(11)
PRIME_RESIDENTS = const(12)  # smallest primes >= 2 and >= the number of residents, locals, merchants, goods
PRIME_LOCALS = const(13)
PRIME_MERCHANTS = const(14)
PRIME_GOODS = const(15)
RANDOM_A = const(16)  # the generator: two multiply-with-carry halves
RANDOM_B = const(17)
TICK = const(18)  # low 30 bits
TICK_HIGH = const(19)
LEAVING = const(20)  # 1 + the last merchant to decide to leave, 0 for none; NEXT leads to the others
FALLBACK = const(21)  # the good a merchant turns to when none promises a profit
LEISURE_HALF = const(22)
HEADER_WORDS = const(23)

# AT_ROADS + place: 1 + the merchants that the road can still take, CLOSED without a road. Place 0, here, is never a road.
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
NEEDS = const(7)

# A record's head: MONEY, PRICE + good, then SELL_FROM of each good: the least price at which it would sell one now, NEVER
# if it has none. Who would sell asks its PRICE.
MONEY = const(0)
PRICE = const(1)
# A local goes on with LEISURE, LEISURE_VALUE, REST, then a row each: STOCK, VALUE, PATIENCE, BUY_BELOW of each good.
LEISURE = const(0)
LEISURE_VALUE = const(1)
REST = const(2)
LOCAL_ROWS = const(3)
# A merchant goes on with these, then the prices it expects at each other place, a row of goods a place.
GOOD = const(0)  # GOODS: one that this city does not know
CAPACITY = const(1)
OWNED = const(2)
ROAD = const(3)  # the place that it is leaving for, 0 while it stays
NEXT = const(4)
FAR = const(5)

MONEY_MAX = const(1_000_000_000)  # a million coins; nobody takes a mill more
STOCK_MAX = const(10_000)
NEVER = const(0x3FFFFFFF)
VALUE_MAX = const(0xFFFFF)  # personal values are below this (1,048 coins), so that a product fits
SAMPLE = const(64)  # residents whom a buyer visits at most
HEARD = const(32)  # residents whom a merchant hears: 0.9 ** 32 has forgotten the rest
PATIENCE_MAX = const(10)

_WRAP = const(0x3FFFFFFF)
_PERCENT = const(21474836)  # 0.01 of the 2**31 values of a draw
_MOVING_COST = const(1000)


@micropython.viper
def appraise(state, local: int):
    """Put down what the local at this offset would pay for, and sell for, one more or one less of everything.

    A personal value v and a price p compare as v and p * 1000 / (money + 1). Here v is turned into the price that equals
    it, v * (money + 1) / 1000, once for all the comparisons until stocks or money change again.
    """
    s = ptr32(state)
    goods = s[GOODS]
    sell_from = local + PRICE + goods
    own = sell_from + goods
    stocks = own + LOCAL_ROWS
    values = stocks + goods
    buy_below = values + goods + goods
    # 8000 stands for 999 coins; scaled to at most 15 bits and a shift.
    wealth = s[local + MONEY] // 125 + 8
    shift = 0
    while wealth >= 32768:
        wealth >>= 4
        shift += 4
    row = s[AT_GOODS]
    good = 0
    while good <= goods:
        if good < goods:
            stock = s[stocks + good]
            value = s[values + good]
            half = s[row + HALF]
        else:
            stock = s[own + LEISURE]
            value = s[own + LEISURE_VALUE]
            half = s[LEISURE_HALF]
        one_more = 0
        while one_more < 2:
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
                price = price * wealth // 8000 << shift
            else:
                price = (price >> 4) * wealth // 8000 << (shift + 4)
            if price > MONEY_MAX:
                price = MONEY_MAX
            if good == goods:
                s[own + REST] = price  # the last one written is that of one more
            elif one_more == 1:
                s[buy_below + good] = price
            elif stock > 0:
                s[sell_from + good] = price + 1
            else:
                s[sell_from + good] = NEVER
            stock += 1
            one_more += 1
        row += s[GOOD_WORDS]
        good += 1


@micropython.viper
def pay_locals(state, share_mills: int) -> int:
    """Give each local this share, where it fits below MONEY_MAX. Returns how many got it."""
    s = ptr32(state)
    paid = 0
    local = s[AT_LOCALS]
    left = s[LOCALS]
    while left > 0:
        if s[local + MONEY] <= MONEY_MAX - share_mills:
            s[local + MONEY] += share_mills
            appraise(state, local)
            paid += 1
        local += s[LOCAL_WORDS]
        left -= 1
    return paid


@micropython.viper
def consider(state, merchant: int) -> int:
    """Find the merchant's best deals by its expected prices, and put down whether it sells here.

    Returns the best place for its own good + PLACES * the good with the best profit.
    """
    s = ptr32(state)
    goods = s[GOODS]
    places = s[PLACES]
    roads = s[AT_ROADS]
    sell_from = merchant + PRICE + goods
    own = sell_from + goods
    turn_to = s[FALLBACK]
    turn_profit = 0
    own_place = 0
    good = 0
    while good < goods:
        low = s[merchant + PRICE + good]
        high = low
        best = 0
        place = 1
        far = own + FAR + good
        while place < places:
            if s[roads + place] != CLOSED:
                price = s[far]
                if price > high:
                    high = price
                    best = place
                if price < low:
                    low = price
            far += goods
            place += 1
        profit = high - low - _MOVING_COST
        if profit <= 0:
            best = 0
        elif profit > turn_profit:
            turn_profit = profit
            turn_to = good
        s[sell_from + good] = NEVER
        if good == s[own + GOOD]:
            own_place = best
            if best == 0 and s[own + OWNED] > 0:
                s[sell_from + good] = 0
        good += 1
    return own_place + places * turn_to


@micropython.viper
def run(state, ticks: int) -> int:
    """Run up to so many ticks; stop after one in which a merchant decided to leave. Returns the ticks run."""
    s = ptr32(state)
    locals_ = s[LOCALS]
    merchants = s[MERCHANTS]
    residents = locals_ + merchants
    goods = s[GOODS]
    places = s[PLACES]
    at_roads = s[AT_ROADS]
    at_odds = s[AT_ODDS]
    at_goods = s[AT_GOODS]
    at_locals = s[AT_LOCALS]
    at_merchants = s[AT_MERCHANTS]
    local_words = s[LOCAL_WORDS]
    merchant_words = s[MERCHANT_WORDS]
    good_words = s[GOOD_WORDS]
    odds_of_32 = s[at_odds + 32]
    # From a record's start to its rows.
    sell_from = PRICE + goods
    own = sell_from + goods
    stocks = own + LOCAL_ROWS
    values = stocks + goods
    patience = values + goods
    buy_below = patience + goods
    # A draw is 31 bits: random_a = 30903 * low half + high half, random_b likewise with 18000, a's 15 bits over b's 16.
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
            random_a = 30903 * (random_a & 65535) + (random_a >> 16)
            random_b = 18000 * (random_b & 65535) + (random_b >> 16)
            turn = (((random_a & 32767) << 16) | (random_b & 65535)) % prime
            random_a = 30903 * (random_a & 65535) + (random_a >> 16)
            random_b = 18000 * (random_b & 65535) + (random_b >> 16)
            turn_step = (((random_a & 32767) << 16) | (random_b & 65535)) % (prime - 1) + 1
            turns_left = prime if count > 0 else 0
            while turns_left > 0:
                # Who acts next: each acts with odds of 0.1, so skip as many as fail in a row.
                random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                draw = random_a & 32767
                skip = 0
                while draw < odds_of_32 and skip < 512:
                    skip += 32
                    random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                    random_b = 18000 * (random_b & 65535) + (random_b >> 16)
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
                actor = (turn + skip * turn_step) % prime
                turn = actor + turn_step
                if turn >= prime:
                    turn -= prime
                turns_left -= skip + 1
                if actor >= count:
                    continue

                if phase == 0:
                    local = at_locals + actor * local_words
                    # 1. Things break.
                    row = at_goods
                    good = 0
                    while good < goods:
                        if s[row + BREAKS] != 0:
                            random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                            random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                            draw = ((random_a & 32767) << 16) | (random_b & 65535)
                            if draw < _PERCENT and s[local + stocks + good] > 0:
                                s[local + stocks + good] -= 1
                                s[row + BROKEN] = (s[row + BROKEN] + 1) & _WRAP
                                appraise(state, local)
                        row += good_words
                        good += 1

                    # 2. It makes what is worth the most; every worth is a price, see appraise().
                    best = -1
                    best_worth = s[local + own + REST]
                    row = at_goods
                    good = 0
                    while good < goods:
                        worth = s[local + PRICE + good]
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
                        if yield_mills > 0 and s[row + CRAFTED] != 0:
                            cost = 0
                            k = 0
                            while k < goods:
                                need = s[row + NEEDS + k]
                                if need > 0:
                                    if s[local + stocks + k] <= need:
                                        cost = NEVER
                                    price = s[local + PRICE + k]
                                    if price < s[local + sell_from + k]:
                                        price = s[local + sell_from + k] - 1
                                    if cost == NEVER or price >= MONEY_MAX // need:
                                        cost = NEVER
                                    else:
                                        cost += need * price
                                        if cost > NEVER:
                                            cost = NEVER
                                k += 1
                            worth -= cost
                            if cost == NEVER:
                                worth = 0
                        if worth > best_worth:
                            best_worth = worth
                            best = good
                        row += good_words
                        good += 1
                    if best < 0:
                        s[local + own + LEISURE] += 1
                        if s[local + own + LEISURE] > STOCK_MAX:
                            s[local + own + LEISURE] = STOCK_MAX
                    else:
                        s[local + own + LEISURE] = 0
                        row = at_goods + best * good_words
                        made = s[row + YIELD] // 1000
                        part = s[row + YIELD] % 1000
                        if part > 0:
                            random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                            random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                            if (((random_a & 32767) << 16) | (random_b & 65535)) % 1000 < part:
                                made += 1
                        if made > STOCK_MAX - s[local + stocks + best]:
                            made = STOCK_MAX - s[local + stocks + best]
                        s[local + stocks + best] += made
                        s[row + MADE] = (s[row + MADE] + made) & _WRAP
                        if s[row + CRAFTED] != 0:
                            k = 0
                            used = at_goods + USED
                            while k < goods:
                                need = s[row + NEEDS + k]
                                s[local + stocks + k] -= need
                                s[used] = (s[used] + need) & _WRAP
                                used += good_words
                                k += 1
                    appraise(state, local)

                    # 3. It takes each good to market, in random order.
                    prime_goods = s[PRIME_GOODS]
                    random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                    random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                    good = (random_a & 32767) % prime_goods
                    good_step = (random_b & 65535) % (prime_goods - 1) + 1
                    goods_left = prime_goods
                    while goods_left > 0:
                        goods_left -= 1
                        if good < goods:
                            price = s[local + PRICE + good]
                            value = s[local + values + good] // 50
                            volatility = value if value > 0 else 1
                            # a. It hears somebody's price.
                            random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                            random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                            if ((random_a & 32767) << 16) | (random_b & 65535) < _PERCENT:
                                random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                                random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                                who = (((random_a & 32767) << 16) | (random_b & 65535)) % residents
                                if who < locals_:
                                    who = at_locals + who * local_words
                                else:
                                    who = at_merchants + (who - locals_) * merchant_words
                                if s[who + PRICE + good] > price:
                                    price += volatility
                                elif s[who + PRICE + good] < price:
                                    price -= volatility
                            # b. It grows impatient.
                            money = s[local + MONEY]
                            buys = 1 if price < s[local + buy_below + good] else 0
                            sells = 1 if price >= s[local + sell_from + good] else 0
                            if sells != 0 or (buys != 0 and money >= price):
                                s[local + patience + good] += 1
                            # c. A buyer visits others until one asks no more than it expects.
                            if buys != 0 and money >= price:
                                prime_all = s[PRIME_RESIDENTS]
                                random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                                random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                                who = (((random_a & 32767) << 16) | (random_b & 65535)) % prime_all
                                random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                                random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                                who_step = (((random_a & 32767) << 16) | (random_b & 65535)) % (prime_all - 1) + 1
                                visits = residents if residents < SAMPLE else SAMPLE
                                while visits > 0:
                                    if who < residents:
                                        visits -= 1
                                        if who < locals_:
                                            seller = at_locals + who * local_words
                                        else:
                                            seller = at_merchants + (who - locals_) * merchant_words
                                        ask = s[seller + PRICE + good]
                                        if (
                                            ask <= price
                                            and ask >= s[seller + sell_from + good]
                                            and seller != local
                                            and s[seller + MONEY] <= MONEY_MAX - ask
                                            and s[local + stocks + good] < STOCK_MAX
                                        ):
                                            s[seller + MONEY] += ask
                                            s[local + MONEY] = money - ask
                                            s[local + stocks + good] += 1
                                            s[local + patience + good] = 0
                                            price -= volatility
                                            if who < locals_:
                                                s[seller + stocks + good] -= 1
                                                s[seller + patience + good] = 0
                                                value = s[seller + values + good] // 50
                                                ask += value if value > 0 else 1
                                                s[seller + PRICE + good] = ask if ask < MONEY_MAX else MONEY_MAX
                                                appraise(state, seller)
                                            else:
                                                s[seller + own + OWNED] -= 1
                                                if s[seller + own + OWNED] == 0:
                                                    s[seller + sell_from + good] = NEVER
                                            appraise(state, local)
                                            visits = 0
                                    who += who_step
                                    if who >= prime_all:
                                        who -= prime_all
                            # d. Out of patience, it moves its price.
                            if s[local + patience + good] > PATIENCE_MAX:
                                s[local + patience + good] = 0
                                if buys != 0:
                                    price += volatility
                                else:
                                    price -= volatility
                            if price < 0:
                                price = 0
                            elif price > MONEY_MAX:
                                price = MONEY_MAX
                            s[local + PRICE + good] = price
                        good += good_step
                        if good >= prime_goods:
                            good -= prime_goods

                else:
                    merchant = at_merchants + actor * merchant_words
                    # 1. It hears the residents: its price moves a tenth of the way to each one's.
                    prime_all = s[PRIME_RESIDENTS]
                    random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                    random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                    who = (((random_a & 32767) << 16) | (random_b & 65535)) % prime_all
                    random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                    random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                    who_step = (((random_a & 32767) << 16) | (random_b & 65535)) % (prime_all - 1) + 1
                    visits = residents if residents < HEARD else HEARD
                    while visits > 0:
                        if who < residents:
                            visits -= 1
                            if who < locals_:
                                resident = at_locals + who * local_words
                                away = 0
                            else:
                                resident = at_merchants + (who - locals_) * merchant_words
                                away = s[resident + own + ROAD]
                            if away == 0:
                                good = PRICE
                                while good <= goods:
                                    gap = s[resident + good] - s[merchant + good]
                                    if gap < 262144 and gap > -262144:
                                        s[merchant + good] += gap * 6554 + 32768 >> 16
                                    else:
                                        s[merchant + good] += gap // 10
                                    good += 1
                        who += who_step
                        if who >= prime_all:
                            who -= prime_all

                    # 2. It weighs its deals.
                    k = int(consider(state, merchant))
                    best = k % places
                    turn_to = k // places
                    road = 0
                    # 3. It buys what sells for more elsewhere.
                    if best != 0 and s[merchant + own + OWNED] < s[merchant + own + CAPACITY]:
                        good = s[merchant + own + GOOD]
                        price = s[merchant + PRICE + good]
                        money = s[merchant + MONEY]
                        if price > money:
                            price = money
                        far = s[merchant + own + FAR + (best - 1) * goods + good] - 1
                        if price > far:
                            price = far
                        prime_all = s[PRIME_LOCALS]
                        random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                        random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                        who = (((random_a & 32767) << 16) | (random_b & 65535)) % prime_all
                        random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                        random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                        who_step = (((random_a & 32767) << 16) | (random_b & 65535)) % (prime_all - 1) + 1
                        visits = locals_ if locals_ < SAMPLE else SAMPLE
                        while visits > 0:
                            if who < locals_:
                                visits -= 1
                                seller = at_locals + who * local_words
                                ask = s[seller + PRICE + good]
                                if (
                                    ask <= price
                                    and ask >= s[seller + sell_from + good]
                                    and s[seller + MONEY] <= MONEY_MAX - ask
                                ):
                                    s[seller + MONEY] += ask
                                    s[seller + stocks + good] -= 1
                                    s[seller + patience + good] = 0
                                    value = s[seller + values + good] // 50
                                    s[merchant + MONEY] = money - ask
                                    s[merchant + own + OWNED] += 1
                                    ask += value if value > 0 else 1
                                    s[seller + PRICE + good] = ask if ask < MONEY_MAX else MONEY_MAX
                                    appraise(state, seller)
                                    visits = 0
                            who += who_step
                            if who >= prime_all:
                                who -= prime_all
                    # 4. Now and then it just leaves; 5. full, it leaves for the best place.
                    random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                    random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                    if ((random_a & 32767) << 16) | (random_b & 65535) < _PERCENT:
                        k = 0
                        place = 1
                        while place < places:
                            if s[at_roads + place] != CLOSED:
                                k += 1
                            place += 1
                        if k > 0:
                            random_a = 30903 * (random_a & 65535) + (random_a >> 16)
                            random_b = 18000 * (random_b & 65535) + (random_b >> 16)
                            k = (random_a & 32767) % k
                            while k >= 0:
                                road += 1
                                if s[at_roads + road] != CLOSED:
                                    k -= 1
                    elif best != 0 and s[merchant + own + OWNED] >= s[merchant + own + CAPACITY]:
                        road = best
                    if road != 0 and s[at_roads + road] > 1:
                        s[at_roads + road] -= 1
                        s[merchant + own + ROAD] = road
                        s[merchant + own + NEXT] = s[LEAVING]
                        s[LEAVING] = actor + 1
                        good = 0
                        while good < goods:
                            s[merchant + sell_from + good] = NEVER
                            good += 1
                    elif s[merchant + own + OWNED] == 0:
                        # 6. With nothing to sell it turns to the best good.
                        s[merchant + own + GOOD] = turn_to
            phase += 1
    s[RANDOM_A] = random_a
    s[RANDOM_B] = random_b
    return done
