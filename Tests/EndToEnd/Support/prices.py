"""The daily prices once more, from the landed files alone: other parsers, Python's decimal, nothing of Headrace.

Follows reference-pipelines.md, P1, and docs/demo-market.md. `read` gives every record of a day with what becomes of it on the way
to staging; `Warehouse` keeps facts over several days.
"""

import collections
import csv
import datetime
import decimal
import hashlib
import html.parser
import io
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

decimal.getcontext().prec = 60
CENT = Decimal("0.01")
RATES = {"USD": Decimal(1), "EUR": Decimal("1.10"), "GBP": Decimal("1.28"), "JPY": Decimal("0.0067")}
FEEDS = {"ebay_prices": "ebay", "amazon_prices": "amazon", "retailer_feed": "retailer", "price_page": "shop"}
CATEGORIES = [("IPHONE", "Smartphones"), ("MACBOOK", "Laptops"), ("AIRPODS", "Audio")]

Staged = collections.namedtuple("Staged", "raw_id product_name price currency source scraped_date raw_data")


class Refused(Exception):
    """Why a record does not reach staging."""


def manifest(folder, day):
    with open(os.path.join(folder, "raw", day, "manifest.json"), encoding="utf-8") as file:
        return json.load(file)


def broken_files(folder, day):
    """Files of a manifest whose size or checksum does not hold, and files beside it that it does not name."""
    place = os.path.join(folder, "raw", day)
    broken = []
    named = {"manifest.json", "metadata.json"}
    for entry in manifest(folder, day)["files"]:
        named.add(entry["name"])
        with open(os.path.join(place, entry["name"]), "rb") as file:
            data = file.read()
        if len(data) != entry["bytes"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
            broken.append(entry["name"])
    return broken + sorted(set(os.listdir(place)) - named)


def pages(folder, day, feed):
    found = [entry for entry in manifest(folder, day)["files"] if entry["source"] == feed]
    for entry in sorted(found, key=lambda entry: entry["page"]):
        with open(os.path.join(folder, "raw", day, entry["name"]), "rb") as file:
            yield file.read()


# Values


def blank_is_none(text):
    return None if text is None or text == "" else text


def price(text):
    """A price as DECIMAL(10,2); raises what makes it a reject."""
    text = text.strip() if isinstance(text, str) else text
    if text is None or text == "":
        return None
    if isinstance(text, Decimal):
        number = text
    else:
        if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", text):
            raise Refused("unreadable price")
        number = Decimal(text)
    if number != number.quantize(CENT) or abs(number) >= 10**8:
        raise Refused("price beyond DECIMAL(10,2)")
    return number.quantize(CENT)


def moment(text, form):
    text = text.strip() if text else None
    if not text:
        return None
    try:
        return datetime.datetime.strptime(text, form)
    except ValueError:
        raise Refused("unreadable date") from None


def staged(raw_id, name, amount, currency, source, seen, form, data):
    """Reads the values; the first that cannot be read refuses the record."""
    row = Staged(blank_is_none(raw_id), name, price(amount), currency, source, moment(seen, form), data)
    if name is not None and len(name) > 500:
        raise Refused("name too long")
    usd = in_usd(row)
    if usd is not None and usd > 50000:
        row.raw_data["validation_flag"] = "price_anomaly"
    return row


def in_usd(row):
    if row.price is None or row.currency not in RATES:
        return None
    return (row.price * RATES[row.currency]).quantize(CENT, ROUND_HALF_EVEN)


# The four formats. Each yields a Staged or the reason of a reject, in source order.


def attempt(*arguments):
    try:
        return staged(*arguments)
    except Refused as reason:
        return str(reason)


def read_ebay(data):
    lines = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
    names = next(lines)
    for fields in lines:
        if len(fields) != len(names):
            yield "not of the feed's shape"
            continue
        raw_id, name, amount, currency, source, seen, seller, condition = fields
        members = dict(zip(names, map(blank_is_none, fields)))
        yield attempt(
            raw_id, blank_is_none(name), amount, blank_is_none(currency), blank_is_none(source) or "ebay", seen, "%Y-%m-%d %H:%M:%S", members)


def read_amazon(data):
    document = json.loads(data, parse_float=Decimal, parse_int=Decimal)
    for item in document["data"]["items"]:
        if not isinstance(item, dict):
            yield "not of the feed's shape"
            continue
        offer = item.get("offer") or {}
        members = {
            "id": item.get("id"), "title": item.get("title"), "amount": offer.get("amount"),
            "currency": offer.get("currency"), "condition": offer.get("condition"),
            "seller": (offer.get("seller") or {}).get("name"), "brand": item.get("brand"),
            "observed_at": item.get("observed_at"),
        }
        yield attempt(
            item.get("id"), item.get("title"), offer.get("amount"), offer.get("currency"), "amazon", item.get("observed_at"),
            "%Y-%m-%dT%H:%M:%SZ", members)


def read_retailer(data):
    feed, money = "{urn:demo-market:partner-feed:2}", "{urn:demo-market:prices:1}"
    root = ElementTree.fromstring(data)
    for product in root.iterfind(f"{feed}products/{feed}product"):
        amount, seen = product.find(f"{money}price"), product.find(f"{money}observed")
        text = lambda name: product.findtext(feed + name)
        currency = None if amount is None else amount.get("currency")
        seen = None if seen is None else seen.get("at")
        members = {
            "sku": product.get("sku"), "name": text("name"), "price": None if amount is None else amount.text,
            "currency": currency, "observed": seen, "merchant": text("merchant"), "brand": text("brand"),
            "condition": product.get("condition"),
        }
        yield attempt(
            product.get("sku"), text("name"), members["price"], currency, "retailer", seen, "%Y-%m-%dT%H:%M:%SZ", members)


class Table(html.parser.HTMLParser):
    """The cells of the table with a given id; end tags may be missing."""

    def __init__(self, name):
        super().__init__(convert_charrefs=True)
        self.name, self.inside, self.rows, self.cell = name, False, [], None

    def handle_starttag(self, tag, attributes):
        if tag == "table" and dict(attributes).get("id") == self.name:
            self.inside = True
        if not self.inside:
            return
        if tag == "tr":
            self.rows.append([])
            self.cell = None
        if tag == "td":
            self.cell = []
            self.rows[-1].append(self.cell)

    def handle_endtag(self, tag):
        if tag in ("td", "tr"):
            self.cell = None
        if tag == "table":
            self.inside = False

    def handle_data(self, data):
        if self.inside and self.cell is not None:
            self.cell.append(data)


def read_shop(data):
    table = Table("prices")
    table.feed(data.decode("cp1252"))
    table.close()
    names = ["raw_id", "product_name", "price", "currency", "scraped_date", "seller", "condition"]
    for cells in table.rows:
        if not cells:
            continue
        if len(cells) != len(names):
            yield "not of the feed's shape"
            continue
        # As a browser shows it: white space in a page is one blank, at the ends none.
        texts = [" ".join("".join(cell).split()) for cell in cells]
        members = dict(zip(names, texts))
        yield attempt(
            members["raw_id"], members["product_name"], members["price"], members["currency"], "shop", members["scraped_date"],
            "%Y-%m-%d %H:%M:%S", members)


READERS = {
    "ebay_prices": read_ebay, "amazon_prices": read_amazon, "retailer_feed": read_retailer, "price_page": read_shop,
}


def read(folder, day):
    """By feed, the records of a day: a Staged each, or the reason why it is none."""
    return {
        feed: [record for page in pages(folder, day, feed) for record in reader(page)] for feed, reader in READERS.items()
    }


# Rules


def normalized(name):
    return " ".join(name.split()).upper()


def category(name):
    return next((title for word, title in CATEGORIES if word in name), "Other")


def md5(text):
    return hashlib.md5(text.encode("utf-8")).hexdigest()


def broken_rule(row):
    if row.product_name is None or not row.product_name.strip():
        return "product_name missing"
    if row.price is None:
        return "price missing"
    if row.currency is None or not row.currency.strip():
        return "currency missing"
    if row.price <= 0:
        return "price not above zero"
    return None


class Day:
    """What one day's staged rows come to, before history is looked at."""

    def __init__(self, records):
        self.rejects = collections.Counter()
        self.merged = 0
        self.observations = {}
        self.names = {}
        self.flagged = 0
        # The first spelling of a day is that of the first source by name.
        for feed, found in sorted(records.items(), key=lambda entry: FEEDS[entry[0]]):
            best = {}
            for ordinal, row in enumerate(found):
                if not isinstance(row, Staged):
                    self.rejects[feed, row] += 1
                    continue
                rule = broken_rule(row)
                if rule:
                    self.rejects[feed, rule] += 1
                    continue
                key = (normalized(row.product_name), row.price, row.currency, row.source)
                rank = (row.scraped_date or datetime.datetime.min, -ordinal)
                if key not in best or rank > best[key][0]:
                    self.merged += key in best
                    best[key] = (rank, ordinal, row)
                else:
                    self.merged += 1
            for _, ordinal, row in sorted(best.values(), key=lambda kept: kept[1]):
                usd = in_usd(row)
                if usd is None:
                    self.rejects[feed, "unknown currency"] += 1
                    continue
                name = normalized(row.product_name)
                self.names.setdefault(name, row.product_name)
                self.flagged += usd > 50000
                self.observations.setdefault((name, row.source), []).append((usd, row))


def half_even(value, places):
    """A fraction as a decimal of so many places."""
    scaled = value * 10**places
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2):
        whole += 1
    return Decimal(whole).scaleb(-places)


def confidence(observations, name):
    n = len(observations)
    present = sum(
        (row.raw_id is not None) + (row.scraped_date is not None) + (category(name) != "Other") for _, row in observations)
    flagged = sum(usd > 50000 for usd, _ in observations)
    return half_even(
        Fraction(1, 2) * Fraction(present, 3 * n) + Fraction(3, 10) * Fraction(min(n, 3), 3)
        + Fraction(1, 5) * (1 - Fraction(flagged, n)), 2)


class Warehouse:
    """Facts, products and items after days have been run in some order."""

    def __init__(self):
        self.facts = {}
        self.products = {}
        self.items = {}

    def run(self, day, records):
        """Loads a day and syncs.

        `records` holds the feeds that loaded; earlier facts of the same date and source go, those of other sources stay.
        """
        loaded = Day(records)
        sources = {source for _, source in loaded.observations}
        for key in [key for key in self.facts if key[0] == day and key[2] in sources]:
            del self.facts[key]
        for name, spelling in loaded.names.items():
            self.products.setdefault(name, (md5(name), spelling, category(name)))
        for (name, source), observations in loaded.observations.items():
            prices = [Fraction(usd) for usd, _ in observations]
            market = half_even(sum(prices, Fraction(0)) / len(prices), 2)
            before = [fact for (date, n, s), fact in self.facts.items() if n == name and s == source and date < day]
            trend, change = "stable", None
            if before:
                old = max(before, key=lambda fact: fact["price_date"])["market_price"]
                trend = "rising" if market > old else "falling" if market < old else "stable"
                change = half_even((Fraction(market) - Fraction(old)) * 100 / Fraction(old), 2) if old > 0 else None
                if change is not None:
                    change = max(min(change, Decimal("999.99")), Decimal("-999.99"))
            self.facts[day, name, source] = {
                "price_id": md5(name + day + source), "product_id": md5(name), "market_price": market,
                "retail_price": max(usd for usd, _ in observations), "currency": "USD", "price_date": day, "source": source,
                "confidence_score": confidence(observations, name), "trend_indicator": trend, "price_change_pct": change,
            }
        latest = {}
        for date, name, source in self.facts:
            latest[name, source] = max(date, latest.get((name, source), date))
        for (date, name, source), fact in self.facts.items():
            fact["is_current"] = latest[name, source] == date
        self.sync(day)
        return loaded

    def sync(self, day):
        facts = {fact["price_id"]: fact for fact in self.facts.values()}
        for fact in facts.values():
            if fact["is_current"] and fact["price_date"] == day:
                self.items[fact["price_id"]] = self.item(fact)
        for identifier, item in self.items.items():
            fact = facts.get(identifier)
            if fact is None or not fact["is_current"]:
                item["Status"] = "inactive"
            else:
                self.items[identifier] = self.item(fact)

    def item(self, fact):
        name = next(name for name, product in self.products.items() if product[0] == fact["product_id"])
        return {
            "Id": fact["price_id"], "ProductId": fact["product_id"], "ProductName": self.products[name][1],
            "MarketPrice": fact["market_price"], "RetailPrice": fact["retail_price"], "Currency": "USD",
            "PriceDate": fact["price_date"], "Source": fact["source"], "ConfidenceScore": fact["confidence_score"],
            "Status": "active",
        }
