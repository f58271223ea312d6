#!/usr/bin/env python3
"""Makes the prices file, always the same for the same number of rows.

usage: generate_prices.py ROWS CSV [NDJSON]

Of 5,000,000 rows the CSV has 574,892,836 bytes. Names come in quoted, spaced and mixed-case variants, prices may be missing, negative or
beyond 50,000, and a tenth of the rows repeats name, price and source of an earlier one.
"""

import json
import random
import sys
from datetime import datetime, timedelta

SEED = 42
BASE_PRODUCTS = 20_000
RING = 65_536
ADJECTIVES = (
    "Red Blue Compact Wireless Ergonomic Stainless Portable Classic Premium Ultra Mini Heavy Vintage Smart Digital Organic"
).split()
NOUNS = (
    "Keyboard Mouse Monitor Desk Chair Lamp Kettle Blender Backpack Headphones Speaker Camera Tripod Router Charger Notebook"
).split()
MATERIALS = "Steel Oak Carbon Cotton Leather Glass Bamboo Plastic".split()
SOURCES = ["amazon", "ebay", "walmart", "aliexpress"]
CURRENCIES = ["USD", "EUR", "GBP", "JPY"]
COLUMNS = ["raw_id", "product_name", "price", "currency", "source", "scraped_date", "url", "qty"]


def variant(name, draw):
    """A product's name as some seller writes it, with its CSV quotes."""
    if draw < 0.03:
        return '"' + name.replace(" ", ", ", 1) + '"'
    if draw < 0.05:
        return '"' + name + ' 15"" ""Pro"""'
    if draw < 0.075:
        return name.replace(" ", "  ")
    if draw < 0.10:
        return name.lower().replace("e", "E")
    if draw < 0.11:
        return " " + name + " "
    if draw < 0.115:
        return ""
    if draw < 0.117:
        return name.replace("o", "ö", 1)
    return name


def price_of(draw, bits):
    if draw < 0.02:
        return ""
    if draw < 0.03:
        return f"-{bits(13) // 100}.{bits(16) % 100:02d}"
    if draw < 0.035:
        return "0.00"
    if draw < 0.045:
        return f"{50000 + bits(16)}.{bits(16) % 100:02d}"
    return f"{bits(12)}.{bits(16) % 100:02d}"


def rows(count):
    """Yields each row as a list of CSV cells."""
    source_of_chance = random.Random(SEED)
    draw, bits, choice = source_of_chance.random, source_of_chance.getrandbits, source_of_chance.choice
    products = [
        f"{choice(ADJECTIVES)} {choice(MATERIALS)} {choice(NOUNS)} {i % 997:03d}-{i // 997:02d}" for i in range(BASE_PRODUCTS)
    ]
    base = datetime(2024, 1, 1)
    ring = []
    for _ in range(count):
        digits = f"{bits(128):032x}"
        if ring and draw() < 0.10:
            name, price, source = ring[bits(16) % len(ring)]
        else:
            product = int(draw() * BASE_PRODUCTS)
            name = variant(products[product], draw())
            source = SOURCES[bits(2)]
            price = price_of(draw(), bits)
            if len(ring) < RING:
                ring.append((name, price, source))
            else:
                ring[bits(16)] = (name, price, source)
        currency = "" if draw() < 0.02 else CURRENCIES[bits(2)]
        date = base + timedelta(seconds=bits(25))
        yield [
            f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}", name, price, currency, source, f"{date.isoformat()}Z",
            f"https://ex.com/{bits(32):08x}", str(bits(6)),
        ]


def as_object(cells):
    """The row as a line of JSON: price and qty are numbers, what is empty is null."""
    members = []
    for column, cell in zip(COLUMNS, cells):
        if cell == "":
            value = "null"
        elif column in ("price", "qty"):
            value = cell
        else:
            text = cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
            value = json.dumps(text, ensure_ascii=False)
        members.append(f'"{column}":{value}')
    return "{" + ",".join(members) + "}\n"


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    lines = open(sys.argv[2], "w", encoding="utf-8", newline="", buffering=1 << 22)
    objects = open(sys.argv[3], "w", encoding="utf-8", newline="", buffering=1 << 22) if len(sys.argv) == 4 else None
    with lines:
        lines.write(",".join(COLUMNS) + "\n")
        for cells in rows(int(sys.argv[1])):
            lines.write(",".join(cells) + "\n")
            if objects:
                objects.write(as_object(cells))
    if objects:
        objects.close()


main()
