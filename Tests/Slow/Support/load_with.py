"""Loads a CSV file into a PostgreSQL table by a Python library, as its documentation says.

usage: load_with.py adbc|dlt|pandas FILE URL TABLE
"""

import sys


def adbc(path, url, table):
    import adbc_driver_postgresql.dbapi
    import pyarrow as pa
    from pyarrow import csv

    types = {"id": pa.int64(), "price": pa.decimal128(12, 4), "stock": pa.int32(), "day": pa.date32(), "seen": pa.timestamp("us")}
    reader = csv.open_csv(path, convert_options=csv.ConvertOptions(column_types=types))
    with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(table, reader, mode="append")
        connection.commit()


def dlt(path, url, table):
    import os
    import dlt as library
    from dlt.sources.filesystem import filesystem, read_csv

    folder, name = os.path.split(path)
    # dlt wants a password even where the server does not; it makes its table itself, of the types that pandas finds.
    url = url.replace("@", ":unused@")
    pipeline = library.pipeline(
        "speed", pipelines_dir=os.environ["DLT_FOLDER"], destination=library.destinations.postgres(url), dataset_name="dlt_speed")
    source = (filesystem(bucket_url=f"file://{folder}", file_glob=name) | read_csv(chunksize=100_000)).with_name(table)
    pipeline.run(source, write_disposition="replace").raise_on_failed_jobs()


def pandas(path, url, table):
    import pandas as library
    import sqlalchemy

    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    for part in library.read_csv(path, chunksize=100_000, parse_dates=["day", "seen"]):
        part.to_sql(table, engine, if_exists="append", index=False, method="multi", chunksize=1000)


{"adbc": adbc, "dlt": dlt, "pandas": pandas}[sys.argv[1]](*sys.argv[2:5])
