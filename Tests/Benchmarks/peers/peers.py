#!/usr/bin/env python3
"""One workload over the prices file by another engine, in the best formulation found, or as its users write it.

usage: peers.py ENGINE WORKLOAD FILE [OUT] --threads N

ENGINE WORKLOAD is one of
    duckdb  parse | table | transform | transform-regex | write | ndjson | verify
    polars  parse | table | table-as-written | transform | transform-grouped | write | ndjson
    pyarrow parse | table | write | ndjson

`verify` is not for timing: the transform with ties decided by the order of the file and exact sums, the reference for all others.
Check values are printed one a line, with the names that headrace-bench gives them.
"""

import argparse
import os

RATES = {"USD": 10000, "EUR": 10837, "GBP": 12712, "JPY": 67}
TEXTS = ["raw_id", "product_name", "currency", "source", "url"]
DATE = "%Y-%m-%dT%H:%M:%SZ"


def show(**values):
    for name, value in values.items():
        print(f"{name.replace('_', ' ') if name != 'product_name_bytes' else 'product_name bytes'}: {value}")


# DuckDB


def duckdb_columns(price="DECIMAL(12,2)"):
    types = {name: "VARCHAR" for name in TEXTS}
    types.update(price=price, scraped_date="TIMESTAMP", qty="INTEGER")
    order = ["raw_id", "product_name", "price", "currency", "source", "scraped_date", "url", "qty"]
    return "{" + ", ".join(f"'{name}': '{types[name]}'" for name in order) + "}"


def duckdb_csv(path):
    return (
        f"read_csv('{path}', header=true, auto_detect=false, delim=',', quote='\"', escape='\"', "
        f"columns={duckdb_columns()})"
    )


def duckdb_digest(con, relation):
    texts = " + ".join(f"sum(strlen({name}))" for name in TEXTS)
    rows, price, qty, name, text, date = con.execute(
        f"""select count(*), sum(price), sum(qty), sum(strlen(product_name)),
            sum(coalesce(strlen(raw_id), 0) + coalesce(strlen(product_name), 0) + coalesce(strlen(currency), 0)
                + coalesce(strlen(source), 0) + coalesce(strlen(url), 0)), max(scraped_date)
            from {relation}"""
    ).fetchone()
    show(rows=rows, price_sum=price, qty_sum=qty, product_name_bytes=name, text_bytes=text)
    print(f"max scraped_date: {date:%Y-%m-%dT%H:%M:%SZ}")


def duckdb_transform(con, path, out, clean):
    con.execute(
        """create temp table rates as select * from (values ('USD', 1.0000::DECIMAL(8,4)), ('EUR', 1.0837), ('GBP', 1.2712),
        ('JPY', 0.0067)) r(currency, rate)"""
    )
    con.execute(
        f"""copy (with c as (
            select *, price > 50000 flag from {duckdb_csv(path)} where price > 0 and product_name <> '' and currency <> ''),
        d as (select product_name, price, source, arg_max(currency, scraped_date) currency, any_value(flag) flag
            from c group by all),
        u as (select upper(trim({clean})) product_name, source, round_even(price * rate, 2) usd
            from d join rates using (currency))
        select product_name, source, round(avg(usd), 4) avg, max(usd) max, count(*) n from u group by product_name, source)
        to '{out}' (header)"""
    )


def duckdb_verify(con, path, out):
    """Groups with exact sums; of rows with the same date the first in the file is kept."""
    con.execute("set preserve_insertion_order=true")
    con.execute(
        """create temp table rates as select * from (values ('USD', 10000), ('EUR', 10837), ('GBP', 12712), ('JPY', 67))
        r(currency, rate)"""
    )
    con.execute(f"create temp table numbered as select *, row_number() over () place from {duckdb_csv(path)}")
    con.execute(
        """create temp table kept as select * from numbered where price > 0 and product_name <> '' and currency <> ''"""
    )
    con.execute(
        """create temp table latest as select product_name, price, source,
        arg_max(currency, row(scraped_date, -place)) currency from kept group by product_name, price, source"""
    )
    # Hundredths times ten-thousandths, rounded half-even to hundredths in integers.
    con.execute(
        """create temp table usd as select upper(trim(regexp_replace(product_name, '\\s+', ' ', 'g'))) product_name, source,
        (price * 100)::BIGINT * rate product, product // 10000 whole, product % 10000 rest,
        case when rest > 5000 or (rest = 5000 and whole % 2 = 1) then whole + 1 else whole end cents
        from latest join rates using (currency)"""
    )
    con.execute(
        f"""copy (select product_name, source, sum(cents) total, max(cents) most, count(*) n from usd
        group by product_name, source) to '{out}' (header)"""
    )
    (kept, flagged) = con.execute("select count(*), count(*) filter (price > 50000) from kept").fetchone()
    (unique,) = con.execute("select count(*) from latest").fetchone()
    (groups,) = con.execute("select count(*) from (select distinct product_name, source from usd)").fetchone()
    show(kept=kept, flagged=flagged, unique=unique, groups=groups)


def run_duckdb(arguments):
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads={arguments.threads}")
    con.execute("set preserve_insertion_order=false")
    path, out = arguments.file, arguments.out
    if arguments.workload == "parse":
        duckdb_digest(con, duckdb_csv(path))
    elif arguments.workload == "table":
        con.execute(f"create temp table t as select * from {duckdb_csv(path)}")
        show(rows=con.execute("select count(*) from t").fetchone()[0])
    elif arguments.workload == "transform":
        clean = "replace(replace(replace(product_name, '  ', ' '), '  ', ' '), '  ', ' ')"
        duckdb_transform(con, path, out, clean)
    elif arguments.workload == "transform-regex":
        duckdb_transform(con, path, out, "regexp_replace(product_name, '\\s+', ' ', 'g')")
    elif arguments.workload == "write":
        con.execute("set preserve_insertion_order=true")
        con.execute(f"copy (select * from {duckdb_csv(path)}) to '{out}' (header, timestampformat '{DATE}')")
    elif arguments.workload == "ndjson":
        source = f"read_json('{path}', format='newline_delimited', columns={duckdb_columns()}, timestampformat='{DATE}')"
        duckdb_digest(con, source)
    elif arguments.workload == "verify":
        duckdb_verify(con, path, out)
    else:
        raise SystemExit(__doc__)


# Polars


def polars_digest(pl, frame):
    texts = [pl.col(name).str.len_bytes().sum().alias(name) for name in TEXTS]
    row = (
        frame.select(pl.len().alias("rows"), pl.col("price").sum(), pl.col("qty").cast(pl.Int64).sum(), *texts,
                     pl.col("scraped_date").max())
        .collect(engine="streaming")
        .row(0, named=True)
    )
    show(rows=row["rows"], price_sum=f"{row['price']:.2f}", qty_sum=row["qty"], product_name_bytes=row["product_name"],
         text_bytes=sum(row[name] for name in TEXTS))
    print(f"max scraped_date: {row['scraped_date']:{DATE}}")


def run_polars(arguments):
    os.environ["POLARS_MAX_THREADS"] = str(arguments.threads)
    import polars as pl

    path, out = arguments.file, arguments.out
    schema = {
        "raw_id": pl.String, "product_name": pl.String, "price": pl.Float64, "currency": pl.String, "source": pl.String,
        "scraped_date": pl.String, "url": pl.String, "qty": pl.Int32,
    }
    # Reading dates as text and parsing them with a format is faster than giving the reader their type.
    to_date = pl.col("scraped_date").str.to_datetime(DATE, time_unit="us")
    typed = schema | {"scraped_date": pl.Datetime("us", "UTC")}
    if arguments.workload == "parse":
        polars_digest(pl, pl.scan_csv(path, schema=schema).with_columns(to_date))
    elif arguments.workload == "table":
        show(rows=pl.read_csv(path, schema=schema).with_columns(to_date).height)
    elif arguments.workload == "table-as-written":
        show(rows=pl.read_csv(path, schema=typed).height)
    elif arguments.workload == "write":
        frame = pl.scan_csv(path, schema=schema).with_columns(to_date)
        frame.sink_csv(out, datetime_format=DATE, float_precision=2, engine="streaming")
    elif arguments.workload == "ndjson":
        polars_digest(pl, pl.scan_ndjson(path, schema=schema).with_columns(to_date))
    elif arguments.workload in ("transform", "transform-grouped"):
        key = ["product_name", "price", "source"]
        frame = pl.scan_csv(path, schema=schema).with_columns(to_date)
        frame = frame.filter(
            (pl.col("price") > 0) & pl.col("product_name").is_not_null() & (pl.col("product_name") != "")
            & pl.col("currency").is_not_null() & (pl.col("currency") != "")
        ).with_columns((pl.col("price") > 50000).alias("flag"))
        if arguments.workload == "transform":
            frame = frame.sort("scraped_date", descending=True).unique(subset=key, keep="first", maintain_order=False)
        else:
            frame = frame.group_by(key).agg(pl.col("currency").get(pl.col("scraped_date").arg_max()), pl.col("flag").first())
        rate = pl.col("currency").replace_strict(
            {code: rate / 10000 for code, rate in RATES.items()}, return_dtype=pl.Float64)
        name = pl.col("product_name")
        for _ in range(3):
            name = name.str.replace_all("  ", " ", literal=True)
        frame = frame.with_columns((pl.col("price") * rate).round(2).alias("usd"), name.str.strip_chars().str.to_uppercase())
        frame = frame.group_by("product_name", "source").agg(
            pl.col("usd").mean().round(4).alias("avg"), pl.col("usd").max().alias("max"), pl.len().alias("n"))
        frame.sink_csv(out, engine="streaming")
    else:
        raise SystemExit(__doc__)


# PyArrow


def run_pyarrow(arguments):
    import pyarrow as pa
    import pyarrow.compute as compute
    import pyarrow.csv
    import pyarrow.json

    pa.set_cpu_count(arguments.threads)
    pa.set_io_thread_count(1)
    path, several = arguments.file, arguments.threads > 1
    types = {name: pa.string() for name in TEXTS}
    types.update(price=pa.decimal128(12, 2), scraped_date=pa.timestamp("us", "UTC"), qty=pa.int32())
    reading = pyarrow.csv.ReadOptions(use_threads=several, block_size=1 << 20)
    converting = pyarrow.csv.ConvertOptions(column_types=types)

    def digest(batches):
        """Looks at as much as the other engines do; sums of fixed-width columns and the sizes of texts cost next to nothing."""
        rows = qty = names = texts = 0
        price, date = 0, None
        for batch in batches:
            rows += batch.num_rows
            price += compute.sum(batch["price"]).as_py()
            qty += compute.sum(batch["qty"]).as_py()
            last = compute.max(batch["scraped_date"]).as_py()
            date = last if date is None or last > date else date
            for name in TEXTS:
                size = compute.sum(compute.binary_length(batch[name])).as_py()
                texts += size
                names += size if name == "product_name" else 0
        show(rows=rows, price_sum=f"{price:.2f}", qty_sum=qty, product_name_bytes=names, text_bytes=texts)
        print(f"max scraped_date: {date:{DATE}}")

    if arguments.workload == "parse":
        with pyarrow.csv.open_csv(path, read_options=reading, convert_options=converting) as batches:
            digest(batches)
    elif arguments.workload == "table":
        table = pyarrow.csv.read_csv(path, read_options=reading, convert_options=converting)
        show(rows=table.num_rows)
    elif arguments.workload == "write":
        with pyarrow.csv.open_csv(path, read_options=reading, convert_options=converting) as batches:
            with pyarrow.csv.CSVWriter(arguments.out, batches.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
    elif arguments.workload == "ndjson":
        # Its JSON reader takes decimals from strings only.
        types["price"] = pa.float64()
        order = ["raw_id", "product_name", "price", "currency", "source", "scraped_date", "url", "qty"]
        options = pyarrow.json.ParseOptions(explicit_schema=pa.schema([(name, types[name]) for name in order]))
        table = pyarrow.json.read_json(
            path, read_options=pyarrow.json.ReadOptions(use_threads=several, block_size=1 << 20), parse_options=options)
        digest(table.to_batches())
    else:
        raise SystemExit(__doc__)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("engine", choices=["duckdb", "polars", "pyarrow"])
    parser.add_argument("workload")
    parser.add_argument("file")
    parser.add_argument("out", nargs="?")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    {"duckdb": run_duckdb, "polars": run_polars, "pyarrow": run_pyarrow}[arguments.engine](arguments)


main()
