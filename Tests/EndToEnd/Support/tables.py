"""Reads what the daily prices left behind, in the form in which it is compared."""

import collections
import datetime
import json
from decimal import Decimal

import checks
import prices

STAGING = ["raw_id", "product_name", "price", "currency", "source", "scraped_date", "raw_data"]
LAYOUT = {
    "dim_products": ["product_id", "product_name", "normalized_name", "category", "subcategory", "brand", "created_at", "updated_at"],
    "dim_categories": ["category_id", "category_name", "parent_category", "display_order"],
    "fact_prices": [
        "price_id", "product_id", "market_price", "retail_price", "currency", "price_date", "source", "confidence_score",
        "trend_indicator", "price_change_pct", "processed_at", "is_current",
    ],
    "etl_logs": [
        "job_date", "stage", "status", "records_processed", "records_rejected", "start_time", "end_time", "error_message",
    ],
    **{f"stg_{feed}": STAGING for feed in prices.FEEDS},
}
TIMES = {"created_at", "updated_at", "processed_at"}


def same(database, headrace=None, kv=None):
    """All that "the same tables" of P1 means: rows without times, as one dictionary of sorted lists."""
    found = {}
    for table, names in LAYOUT.items():
        if table == "etl_logs":
            continue
        kept = [name for name in names if name not in TIMES]
        listed = ", ".join(f'"{name}"' for name in kept)
        order = "rowid" if table.startswith("stg_") else listed
        found[table] = checks.rows(database, f'SELECT {listed} FROM "{table}" ORDER BY {order}')
    if headrace:
        found["Prices"] = sorted(
            json.dumps({k: v for k, v in item.items() if k not in ("CreatedAt", "UpdatedAt")}, sort_keys=True)
            for item in raw_items(headrace, kv))
    return found


def raw_items(headrace, kv):
    done = headrace.run("kv", "scan", f"kv:{kv}?table=Prices")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [json.loads(line, parse_float=str, parse_int=str) for line in done.stdout.splitlines()]


def number(value):
    return None if value is None else Decimal(str(value))


def flag(value):
    return value in (1, "1", "true", "TRUE", True)


def facts(database):
    """By price_id, as `prices.Warehouse` has them."""
    names = [name for name in LAYOUT["fact_prices"] if name not in TIMES]
    found = {}
    for row in checks.rows(database, f"SELECT {', '.join(names)} FROM fact_prices"):
        fact = dict(zip(names, row))
        for name in ("market_price", "retail_price", "confidence_score", "price_change_pct"):
            fact[name] = number(fact[name])
        fact["is_current"] = flag(fact["is_current"])
        found[fact["price_id"]] = fact
    return found


def items(headrace, kv):
    found = {}
    for item in raw_items(headrace, kv):
        item = {name: value for name, value in item.items() if name not in ("CreatedAt", "UpdatedAt")}
        for name in ("MarketPrice", "RetailPrice", "ConfidenceScore"):
            item[name] = number(item.get(name))
        found[item["Id"]] = item
    return found


def staging(database, feed):
    """The rows of a staging table in source order, values as `prices.Staged` has them."""
    result = []
    for row in checks.rows(database, f'SELECT {", ".join(STAGING)} FROM "stg_{feed}" ORDER BY rowid'):
        row = dict(zip(STAGING, row))
        row["price"] = number(row["price"])
        if row["scraped_date"] is not None:
            row["scraped_date"] = datetime.datetime.fromisoformat(str(row["scraped_date"]).rstrip("Z"))
        row["raw_data"] = json.loads(row["raw_data"], parse_float=Decimal, parse_int=Decimal)
        result.append(row)
    return result


def rejects_by_reason(headrace, run="last"):
    """The rows of `rejects --csv` as dictionaries."""
    import csv
    import io

    done = headrace.run("rejects", run, "--csv")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return list(csv.DictReader(io.StringIO(done.stdout, newline="")))


def count(values):
    return dict(sorted(collections.Counter(values).items(), key=str))
