#pragma once
#include <libpq-fe.h>

/* What Swift cannot import: the field codes of an error report are character literals. */
enum {
    headrace_PG_DIAG_SEVERITY_NONLOCALIZED = PG_DIAG_SEVERITY_NONLOCALIZED,
    headrace_PG_DIAG_SQLSTATE = PG_DIAG_SQLSTATE,
    headrace_PG_DIAG_MESSAGE_PRIMARY = PG_DIAG_MESSAGE_PRIMARY,
    headrace_PG_DIAG_MESSAGE_DETAIL = PG_DIAG_MESSAGE_DETAIL,
    headrace_PG_DIAG_MESSAGE_HINT = PG_DIAG_MESSAGE_HINT,
    headrace_PG_DIAG_CONTEXT = PG_DIAG_CONTEXT,
    headrace_PG_DIAG_SCHEMA_NAME = PG_DIAG_SCHEMA_NAME,
    headrace_PG_DIAG_TABLE_NAME = PG_DIAG_TABLE_NAME,
    headrace_PG_DIAG_COLUMN_NAME = PG_DIAG_COLUMN_NAME,
    headrace_PG_DIAG_CONSTRAINT_NAME = PG_DIAG_CONSTRAINT_NAME
};
